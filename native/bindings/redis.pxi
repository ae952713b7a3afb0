# redis.pxi: a question about a code to Redis, and the verification that asks it. Part of _native.pyx.

cdef enum:
    WORDS = 18  # of a question
    WORD_ROOM = 32  # what the protocol puts around one; a number's whole room
    MOST_READ = 65536


@cython.final
cdef class RedisQuestions:
    """Calls of store/hot_claims.lua in the protocol's own form. sha: what Redis calls the script; keep_after: seconds past
    its end that a code is remembered, by our clock, since Redis's own may differ."""
    cdef bytes _sha
    cdef int64_t _keep_after

    def __init__(self, bytes sha not None, int64_t keep_after):
        self._sha, self._keep_after = sha, keep_after

    def pack(self, bytes tag not None, bytes code not None, int64_t issued_at, int64_t until, bint must_be_issued, unsigned uses,
             uint64_t holder, str place not None, int64_t now, int64_t turn, bytes status not None=b"", int64_t keep=0):
        """The arguments of hot_claims.lua; tag: of all keys; code: b"" for none; until: its last second."""
        cdef bytes name = place.encode()
        cdef size_t key_room = WORD_ROOM + PyBytes_GET_SIZE(tag) + PyBytes_GET_SIZE(code)
        cdef size_t room = WORDS * 2 * WORD_ROOM + len(self._sha) + 4 * key_room + len(status) + len(name)
        cdef char *text = <char *>malloc(room)
        cdef char *at = text
        cdef int64_t rest = until - now if until > now else 0
        if text == NULL:
            raise MemoryError()
        at = _words(at)
        at = _word(_word(at, b"EVALSHA"), self._sha)
        at = _number(at, 4)
        at = _redis_key(at, tag, b"s", b"")
        at = _redis_key(at, tag, b"i", code)
        at = _redis_key(at, tag, b"t", code)
        at = _redis_key(at, tag, b"x", b"")
        at = _number(_number(_number(at, must_be_issued), now), len(code) != 0)
        at = _number(_number(at, issued_at), rest + self._keep_after)
        at = _number(_number(at, uses), holder)
        at = _number(_word(at, status), keep)
        at = _number(_word(at, name), turn)
        try:
            return PyBytes_FromStringAndSize(text, at - text)
        finally:
            free(text)


cdef inline char *_raw(char *at, bytes text):
    memcpy(at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return at + PyBytes_GET_SIZE(text)


cdef char *_digits(char *at, int64_t number):
    cdef char reversed[24]
    cdef int n = 0
    cdef uint64_t rest = <uint64_t>number if number >= 0 else 0 - <uint64_t>number
    if number < 0:
        at[0], at = c"-", at + 1
    while True:
        reversed[n], n, rest = c"0" + rest % 10, n + 1, rest // 10
        if not rest:
            break
    while n:
        n -= 1
        at[0], at = reversed[n], at + 1
    return at


cdef inline char *_line_end(char *at):
    at[0], at[1] = c"\r", c"\n"
    return at + 2


cdef inline char *_words(char *at):
    at[0] = c"*"
    return _line_end(_digits(at + 1, WORDS))


cdef inline char *_length(char *at, size_t n):
    at[0] = c"$"
    return _line_end(_digits(at + 1, n))


cdef inline char *_word(char *at, bytes word):
    return _line_end(_raw(_length(at, PyBytes_GET_SIZE(word)), word))


cdef char *_number(char *at, int64_t number):
    cdef char text[24]
    cdef size_t n = _digits(text, number) - text
    at = _length(at, n)
    memcpy(at, text, n)
    return _line_end(at + n)


cdef char *_redis_key(char *at, bytes tag, bytes kind, bytes code):
    """ehc:{tag}:kind:code"""
    at = _length(at, 9 + PyBytes_GET_SIZE(tag) + PyBytes_GET_SIZE(code))
    at = _raw(_raw(_raw(at, b"ehc:{"), tag), b"}:")
    at = _raw(_raw(at, kind), b":")
    return _line_end(_raw(at, code))


@cython.final
cdef class _Read:
    """What a card's text in Redis says."""
    cdef bytes shown
    cdef int64_t usable_until


@cython.final
cdef class RedisShortcut(_Learner):
    """Over the hot state in Redis: from a request's body to a question, and from what is answered to the request's answer.

    tag(card): of its keys; read(text): the card's CardStatus and until when it is usable, -1 for one that is not.
    """
    cdef RedisQuestions _questions
    cdef object _tag, _read
    cdef dict _cards  # by their text

    def __init__(self, RedisQuestions questions not None, *, tag, read, **more):
        _Learner.__init__(self, **more)
        self._questions, self._tag, self._read, self._cards = questions, tag, read, {}

    def ask(self, bytes body not None, institution, int64_t now, fast, int64_t turn):
        """(code, uses, tag, command): uses: as many may use it; None: the long way. As _Learner.shown."""
        cdef Shown code = self.shown(body, institution, now, fast)
        if code is None:
            return None
        cdef _Place place = code.place
        cdef bytes tag = self._tag(code.of)
        cdef bytes name = PyBytes_FromStringAndSize(<char *>code.told.code, code.told.code_length)
        command = self._questions.pack(tag, name, code.told.issued_at, code.told.until, code.told.must_be_issued,
                                       place.uses, place.holder, place.place, now, turn)
        return code, place.uses, tag, command

    def conclude(self, Shown code not None, told, int64_t now):
        """told: what Redis answered; None: the long way, nothing was claimed that it would not claim again."""
        if type(told) is not list or len(told) != 3:
            return None
        issued, text, claim = told
        if issued != 1 or not text or not EHC_CLAIM_NONE <= claim <= EHC_CLAIM_AGAIN:
            return None
        cdef _Read card = <_Read>self._cards.get(text)
        if card is None:
            card = _Read.__new__(_Read)
            status, card.usable_until = self._read(text)
            card.shown = self._show(status)
            if len(self._cards) >= MOST_READ:
                self._cards.clear()
            self._cards[text] = card
        return None if now > card.usable_until else self.answer(code, card.shown)
