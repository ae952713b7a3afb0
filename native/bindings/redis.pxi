# redis.pxi: a question about a code to Redis, and the verification that asks it. Part of _native.pyx.

cdef enum:
    WORD_ROOM = 32  # what the protocol puts around a word; a number's whole room
    MOST_READ = 65536
    WATCH_ANSWERS = 2  # of RedisQuestions.watch


@cython.final
cdef class RedisQuestions:
    """Calls of store/hot_claims.lua in the protocol's own form, and what is asked beside it. sha: what Redis calls the script;
    keep_after: seconds past its end that a code is remembered, by our clock, since Redis's own may differ."""
    cdef bytes _sha
    cdef int64_t _keep_after
    cdef char *_text  # the last command
    cdef size_t _room

    def __init__(self, bytes sha not None, int64_t keep_after):
        self._sha, self._keep_after = sha, keep_after

    def __dealloc__(self):
        free(self._text)

    def pack(self, bytes tag not None, bytes code not None, int64_t issued_at, int64_t until, bint must_be_issued, unsigned uses,
             uint64_t holder, str place not None, int64_t now, int64_t turn, bytes status not None=b"", int64_t keep=0):
        """The arguments of hot_claims.lua; tag: of all keys; code: b"" for none; until: its last second."""
        cdef bytes name = place.encode()
        cdef char *at = self._begin(18, len(self._sha) + 4 * (len(tag) + len(code)) + len(status) + len(name))
        at = _word(_word(at, b"EVALSHA"), self._sha)
        at = _number(at, 4)
        at = _redis_key(at, tag, b"s", b"")
        at = _redis_key(at, tag, b"i", code)
        at = _redis_key(at, tag, b"t", code)
        at = _redis_key(at, tag, b"x", b"")
        at = _number(_number(_number(at, must_be_issued), now), len(code) != 0)
        at = _number(_number(at, issued_at), self._kept(until, now))
        at = _number(_number(at, uses), holder)
        at = _number(_word(at, status), keep)
        return self._end(_number(_word(at, name), turn))

    def claim(self, bytes tag not None, bytes code not None, int64_t until, uint64_t holder, str place not None, int64_t now):
        """As the script claims a code that nobody has: None is answered then, else who has it. Nothing else is looked at."""
        cdef bytes name = b"%d 1 %d %b" % (holder, now, place.encode())
        cdef char *at = self._begin(7, len(tag) + len(code) + len(name))
        at = _word(_redis_key(_word(at, b"SET"), tag, b"t", code), name)
        return self._end(_number(_word(_word(_word(at, b"NX"), b"GET"), b"EX"), self._kept(until, now)))

    def watch(self, bytes tag not None):
        """Two commands: Redis tells this connection when the status of this card changes."""
        cdef char *at = _word(_word(_word(self._begin(3, len(tag) + 2 * WORD_ROOM), b"CLIENT"), b"CACHING"), b"YES")
        return self._end(_redis_key(_word(_words(at, 2), b"EXISTS"), tag, b"s", b""))

    cdef char *_begin(self, int words, size_t room) except NULL:
        """room: of texts."""
        room += (2 * words + 1) * WORD_ROOM
        cdef char *text = self._text
        if room > self._room:
            text = <char *>realloc(text, room)
            if text == NULL:
                raise MemoryError()
            self._text, self._room = text, room
        return _words(text, words)

    cdef bytes _end(self, const char *end):
        return PyBytes_FromStringAndSize(self._text, end - self._text)

    cdef inline int64_t _kept(self, int64_t until, int64_t now):
        return (until - now if until > now else 0) + self._keep_after


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


cdef inline char *_words(char *at, int n):
    at[0] = c"*"
    return _line_end(_digits(at + 1, n))


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


cdef bint _is_claim_of(told, uint64_t holder):
    """told: a claim, as the script writes it; an error."""
    cdef char begin[24]
    cdef char *end = _digits(begin, holder)
    end[0] = c" "
    cdef Py_ssize_t length = end + 1 - begin
    return holder and type(told) is bytes and len(told) > length and not memcmp(PyBytes_AS_STRING(told), begin, length)


@cython.final
cdef class _Read:
    """What a card's text in Redis says."""
    cdef bytes shown
    cdef int64_t usable_until, codes_from, turn


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class _Watched:
    """A card whose changes Redis tells us."""
    cdef _Read card
    cdef int64_t until  # we may miss one

    cdef bint serves(self, const _Told *told, int64_t now, int64_t turn):
        cdef _Read card = self.card
        return card.turn == turn and now <= card.usable_until and now <= self.until and told.issued_at >= card.codes_from


@cython.final
cdef class WatchedCards:
    """What Redis told of cards whose changes it tells, too (CLIENT TRACKING): on the same connection and in order, so that whoever
    gets the answer to a claim knows of every change before it. seconds: how long a card is believed unchanged."""
    cdef int64_t _seconds
    cdef dict _by_tag  # a _Watched; whose question makes it one; None: it was asked for once

    def __init__(self, int64_t seconds):
        self._seconds, self._by_tag = seconds, {}

    def forget(self, list keys):
        """keys: those that changed; None: any may have."""
        cdef bytes key
        if keys is None:
            self._by_tag.clear()
            return
        for key in keys:
            if key.startswith(b"ehc:{") and key.endswith(b"}:s:"):
                self._by_tag.pop(key[5:-4], None)

    cdef object find(self, bytes tag):
        return self._by_tag.get(tag)

    cdef bint begin(self, Asked one):
        """Whether its question is to watch the card: not the first, since most are shown once."""
        cdef bint again = one.tag in self._by_tag
        if len(self._by_tag) >= MOST_READ:
            self._by_tag.clear()
        self._by_tag[one.tag] = one if again else None
        return again

    cdef void end(self, Asked one, _Read card):
        """What was told, unless the card has changed since it was asked or somebody else asks."""
        cdef _Watched watched
        if self._by_tag.get(one.tag) is one:
            watched = _Watched.__new__(_Watched)
            watched.card, watched.until = card, one._now + self._seconds
            self._by_tag[one.tag] = watched


@cython.final
@cython.freelist(8)
cdef class Asked:
    """A verification that waits for Redis. tag: of its keys; command: what Redis is asked; ignored: so many answers come before;
    future: of the answer to the request; None in it: the long way, nothing was claimed that it would not claim again."""
    cdef readonly bytes tag, command
    cdef readonly int ignored
    cdef public object future
    cdef RedisShortcut _by
    cdef Shown _code
    cdef _Watched _card  # None: it is asked for its status too
    cdef int64_t _now

    def conclude(self, told):
        """told: what Redis answered; an error of it, too."""
        if self.future.done():
            return  # nobody waits
        try:
            answer = self._by.conclude(self, told)
        except Exception as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(answer)

    def fail(self, error):
        """No answer came."""
        if self.future.done():
            return
        if self._code.place.uses:
            self.future.set_exception(error)  # it may be claimed
        else:
            self.future.set_result(None)


@cython.final
cdef class RedisShortcut(_Learner):
    """Over the hot state in Redis: from a request's body to a question, and from what is answered to the request's answer.

    tag(card): of its keys; read(text): the card's CardStatus, until when it is usable, -1 for one that is not, and its turn.
    """
    cdef RedisQuestions _questions
    cdef WatchedCards _watched
    cdef object _tag, _read
    cdef dict _cards  # by their text

    def __init__(self, RedisQuestions questions not None, WatchedCards watched not None, *, tag, read, **more):
        _Learner.__init__(self, **more)
        self._questions, self._watched, self._tag, self._read, self._cards = questions, watched, tag, read, {}

    def ask(self, bytes body not None, institution, int64_t now, fast, int64_t turn, bint watches):
        """An Asked; None: the long way. watches: whether Redis tells changes. Else as _Learner.shown."""
        cdef Shown code = self.shown(body, institution, now, fast)
        if code is None:
            return None
        cdef _Place place = code.place
        cdef Asked one = Asked.__new__(Asked)
        one._by, one._code, one._now, one.tag = self, code, now, self._tag(code.of)
        cdef bytes name = PyBytes_FromStringAndSize(<char *>code.told.code, code.told.code_length)
        watches = watches and place.uses and not code.told.must_be_issued  # else a claim alone does not answer it
        known = self._watched.find(one.tag) if watches else None
        if type(known) is _Watched and (<_Watched>known).serves(&code.told, now, turn):
            one._card = <_Watched>known
            one.command = self._questions.claim(one.tag, name, code.told.until, place.holder, place.place, now)
            return one
        one.command = self._questions.pack(one.tag, name, code.told.issued_at, code.told.until, code.told.must_be_issued,
                                           place.uses, place.holder, place.place, now, turn)
        if watches and self._watched.begin(one):
            one.command, one.ignored = self._questions.watch(one.tag) + one.command, WATCH_ANSWERS
        return one

    cdef bytes conclude(self, Asked one, told):
        cdef _Watched known = one._card
        cdef _Read card
        if known is not None:
            if told is not None and not _is_claim_of(told, one._code.place.holder) or self._watched.find(one.tag) is not known:
                return None
            card = known.card
        elif type(told) is not list or len(told) != 3:
            return None
        else:
            issued, text, claim = told
            if issued != 1 or not text:
                return None
            card = self._card(text)
            self._watched.end(one, card)
            if not EHC_CLAIM_NONE <= claim <= EHC_CLAIM_AGAIN:
                return None
        return None if one._now > card.usable_until else self.answer(one._code, card.shown)

    cdef _Read _card(self, bytes text):
        cdef _Read card = <_Read>self._cards.get(text)
        if card is None:
            card = _Read.__new__(_Read)
            status, card.usable_until, card.turn = self._read(text)
            card.codes_from, card.shown = status.codes_from, self._show(status)
            if len(self._cards) >= MOST_READ:
                self._cards.clear()
            self._cards[text] = card
        return card
