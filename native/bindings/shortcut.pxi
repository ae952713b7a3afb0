# shortcut.pxi: the most usual verifications in one call, or in two where a server is asked in between. Part of _native.pyx.

cdef extern from "string.h":
    void *memmem(const void *text, size_t length, const void *part, size_t part_length)
    int memcmp(const void *a, const void *b, size_t length)
    void *memchr(const void *text, int c, size_t length)

cdef enum:
    MOST_ENDS = 1024
    MOST_REQUESTS = 65536
    NATIONAL = 0
    BOUND = 1
    COMPACT = 2
    CODE_ROOM = 64  # of what a code is known by: a letter, and a card id and a token, or the name of a serial
    VISIT = 18  # a visit in an answer: 16 hex digits between quotes

cdef tuple _PROFILES = ("N", "A", "E2")

cdef int64_t NO_END = 100 * 366 * 86400  # seconds, as ehc.codes.reading


cdef class _Holder:
    """Who claims codes."""
    cdef uint64_t holder
    cdef str place  # what that is called
    cdef bint named


@cython.final
cdef class _Place(_Holder):
    """A request that was understood, but for its code."""
    cdef bytes head  # of the answer
    cdef unsigned profiles  # that serve there: a bit each
    cdef unsigned uses
    cdef tuple seen  # institution and terminal; None where one was not said
    cdef int64_t seen_at


cdef struct _Told:
    int profile  # its place in _PROFILES
    uint8_t code[CODE_ROOM]  # what it is known by
    size_t code_length
    int64_t issued_at
    int64_t expiry  # INT64_MAX: there is none
    int64_t until  # the last second in which it is kept
    bint must_be_issued


cdef class _Opener:
    """Steps 1 to 5 for a code with a token (profiles N, A, E2) that passes them.

    lend_compact(): the keys that may open compact codes, by version; lend(): those that may open tokens, newest first;
    either for one code. window: of tokens; profiles: of tokens, as for check_token; accept_unissued: see ehc.config.
    """
    cdef ehc_window _window
    cdef bint _accept_unissued
    cdef object _lend_compact, _lend

    def __init__(self, *, lend_compact, lend, window, unsigned profiles, bint accept_unissued):
        self._lend_compact, self._lend, self._accept_unissued = lend_compact, lend, accept_unissued
        self._window.tolerance, self._window.validity = window.tolerance, window.validity
        self._window.issue, self._window.profiles = window.time == "issue", profiles

    cdef object open(self, const uint8_t *text, size_t length, int64_t now, _Told *told):
        """Steps 1 to 5: the card id or account; None for what is refused."""
        if length == EHC_COMPACT_LENGTH and memcmp(text, b"EHC2:", 5) == 0:
            return self.open_compact(text, length, now, told)
        cdef ehc_checked c
        keys = self._lend()
        cdef KeyHandle key = keys[0]
        cdef ehc_window window = self._window
        window.now, window.key_version = now, key.version
        if ehc_check_token(&key._key, text, length, &window, &c) != EHC_OK:
            return None
        told.expiry = told.until = c.expiry
        told.issued_at = c.expiry - window.validity
        told.profile = BOUND if c.profile == EHC_PROFILE_BOUND else NATIONAL
        told.must_be_issued = told.profile == NATIONAL and not self._accept_unissued
        told.code[0] = c"N" if told.profile == NATIONAL else c"A"
        memcpy(told.code + 1, c.payload.card_id, c.payload.card_id_length)
        memcpy(told.code + 1 + c.payload.card_id_length, c.payload.token_bytes, 16)
        told.code_length = 1 + c.payload.card_id_length + 16
        return _hex_text(c.payload.card_id, c.payload.card_id_length)

    cdef object open_compact(self, const uint8_t *text, size_t length, int64_t now, _Told *told):
        cdef ehc_compact said
        cdef size_t offset
        keys = self._lend_compact()
        if not keys:
            return None
        cdef CompactKey key = next(iter(keys.values()))
        cdef int64_t tolerance = self._window.tolerance
        cdef int status = ehc_check_compact(&key._key, text, length, now, tolerance, &said, &told.expiry, &offset)
        if status == EHC_TOKEN_KEY_VERSION and said.key_version in keys:
            key = keys[said.key_version]
            status = ehc_check_compact(&key._key, text, length, now, tolerance, &said, &told.expiry, &offset)
        if status != EHC_OK:
            return None
        _hold(&said, told)
        return said.account


@cython.final
cdef class HostCodes:
    """The hot state of one host: cards whose state is kept, codes that were issued and claimed, and when.

    opened_at: what was issued before may not be claimed; name(holder, place): what a claim's holder is called.
    """
    cdef KeptStatuses _cards
    cdef CodeSets _issued, _claimed, _claimed_at
    cdef int64_t _opened_at
    cdef object _name

    def __init__(self, KeptStatuses cards not None, CodeSets issued not None, CodeSets claimed not None,
                 CodeSets claimed_at not None, int64_t opened_at, name):
        self._cards, self._issued, self._claimed, self._claimed_at = cards, issued, claimed, claimed_at
        self._opened_at, self._name = opened_at, name

    cdef _Kept usable(self, of, int64_t now, int64_t at, const _Told *told):
        """Step 6; None: not for sure. now: this is; at: the code was shown."""
        cdef _Kept card = self._cards.find(of, now)
        return None if card is None or at > card.usable_until or told.issued_at < card.codes_from else card

    cdef bint take(self, const _Told *told, int64_t at, _Holder who, unsigned uses) except -1:
        """Step 8: whether it may be used: issued here where it must be, claimed where it serves so many, not revoked."""
        if told.must_be_issued and not self._is_issued(told) or uses and told.issued_at < self._opened_at:
            return False
        cdef uint64_t name = self._claimed.name(told.code, told.code_length)
        cdef int status = self._claimed.ask(self._claimed.chain(told.issued_at, told.until), name, who.holder, uses)
        if status == EHC_CLAIM_WON:
            self._claimed_at.set(self._claimed_at.chain(told.issued_at, told.until), name, at)
            if not who.named:
                who.named = True
                self._name(who.holder, who.place)
        return status != EHC_CLAIM_LOST and status != EHC_CLAIM_REVOKED

    cdef bint _is_issued(self, const _Told *told) except -1:
        cdef uint64_t holder = 0, name = self._issued.name(told.code, told.code_length)
        return self._issued.find(self._issued.chain(told.issued_at, told.until), name, &holder) == EHC_CLAIM_LOST


cdef class _Learner(_Opener):
    """Requests that are like one that was learned, but for their code, and what their answers look like.

    What is not plain goes the long way (ehc.codes.verification), which can say why, and nothing of it is claimed here.
    What is accepted here the long way accepts, with the same bytes and the same claim.

    show(status): the answer's members that name the card; end(profile, expiry): those from its time on, and
    `"visit":`, given as a pair of what stands before and after the visit; see(institution, terminal, now, fast): a
    terminal was seen.
    """
    cdef object _show, _end, _see
    cdef dict _learned  # institution of the caller -> the body without its code -> _Place
    cdef size_t _many  # so many
    cdef tuple _ends  # a profile each: by expiry

    def __init__(self, *, show, end, see, **more):
        _Opener.__init__(self, **more)
        self._show, self._end, self._see = show, end, see
        self._learned, self._ends = {}, tuple({} for _ in _PROFILES)

    def learn(self, institution, bytes body not None, str payload not None, *, bytes head not None, frozenset profiles not None,
              unsigned uses, uint64_t holder, str name not None, tuple seen):
        """Bodies that differ from this one in their payload alone need not be decoded from now on.

        institution: the caller's; head: the answer up to the card's members; profiles: that serve there; holder, name:
        who claims; seen: institution and terminal, or None.
        """
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(body)
        cdef size_t length = PyBytes_GET_SIZE(body), start, end
        cdef _Place one = _Place()
        if not _find_payload(text, length, &start, &end) or memchr(text, 92, length) != NULL:
            return  # where there are escapes a name can be written in another way
        if memmem(text + end, length - end, b'"payload"', 9) != NULL or body[start:end] != payload.encode():
            return
        if self._many >= MOST_REQUESTS:
            self.unlearn()  # those that come often come back
        one.head, one.uses, one.holder, one.place, one.seen, one.seen_at = head, uses, holder, name, seen, -1
        one.profiles = sum([1 << n for n, profile in enumerate(_PROFILES) if profile in profiles])
        self._learned.setdefault(institution, {})[_around(body, start, end)] = one
        self._many += 1

    def unlearn(self):
        """What was learned of places holds no longer."""
        self._learned.clear()
        self._many = 0

    cdef Shown shown(self, bytes body, institution, int64_t now, fast):
        """By 1 to 5 and 7; None: the long way. institution: the caller's. fast: by how many seconds the terminal's clock
        is, None where it did not say. Raises what the lenders do."""
        cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(body)
        cdef size_t length = PyBytes_GET_SIZE(body), start, end
        cdef dict alike = <dict>self._learned.get(institution)
        cdef _Place place
        cdef Shown code
        if alike is None or not _find_payload(text, length, &start, &end):
            return None
        place = <_Place>alike.get(_around(body, start, end))
        if place is None:
            return None
        code = Shown.__new__(Shown)
        code.of = self.open(text + start, end - start, now, &code.told)
        if code.of is None or not place.profiles >> code.told.profile & 1:
            return None
        if place.seen is not None and (fast is not None or place.seen_at != now):
            self._see(*place.seen, now, fast)
            place.seen_at = now
        code.place = place
        return code

    cdef bytes answer(self, Shown code, bytes card):
        """card: the members that name it."""
        cdef _Place place = code.place
        cdef bytes before, after
        before, after = self._end_of(code.told.profile, code.told.expiry)
        cdef char visit[VISIT]
        cdef Py_ssize_t visit_length = _write_visit(&code.told, place.holder if place.uses else 0, visit)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(before) + visit_length + PyBytes_GET_SIZE(after)
        cdef bytes text = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(place.head) + PyBytes_GET_SIZE(card) + length)
        cdef char *at = _raw(_raw(_raw(PyBytes_AS_STRING(text), place.head), card), before)
        memcpy(at, visit, visit_length)
        _raw(at + visit_length, after)
        return text

    cdef tuple _end_of(self, int profile, int64_t expiry):
        cdef dict ends = self._ends[profile]
        found = ends.get(expiry)
        if found is None:
            if len(ends) >= MOST_ENDS:
                ends.clear()
            found = ends[expiry] = self._end(_PROFILES[profile], None if expiry == INT64_MAX else expiry)
        return found


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Shown:
    """A code that was shown somewhere."""
    cdef _Place place
    cdef object of  # card id, or account
    cdef _Told told


@cython.final
cdef class Shortcut(_Learner):
    """Over the hot state of a host: from a request's body to its answer's."""
    cdef HostCodes _host

    def __init__(self, HostCodes host not None, **more):
        _Learner.__init__(self, **more)
        self._host = host

    def verify(self, bytes body not None, institution, int64_t now, fast):
        """None: the long way. As _Learner.shown; raises what making a set of codes does too."""
        cdef Shown code = self.shown(body, institution, now, fast)
        if code is None:
            return None
        cdef _Kept card = self._host.usable(code.of, now, now, &code.told)
        if card is None or not self._host.take(&code.told, now, code.place, code.place.uses):
            return None
        if card.shown is None:
            card.shown = self._show(card.status)
        return self.answer(code, card.shown)


@cython.final
cdef class OfflineShortcut(_Opener):
    """Checks that a terminal made while it was offline, each judged at its own time: those that are accepted.

    lend_active(n): the compact key that opens the codes of today, for n codes; verdict(status, profile): of an accepted
    code.
    """
    cdef HostCodes _host
    cdef object _lend_active, _verdict

    def __init__(self, HostCodes host not None, *, lend_active, verdict, **more):
        _Opener.__init__(self, **more)
        self._host, self._lend_active, self._verdict = host, lend_active, verdict

    def accept(self, checks not None, drift, int64_t now, oldest, newest, rules not None, uint64_t holder, str place not None):
        """A verdict a check; None: the long way.

        checks: with members payload, at, scene and accepted. drift: seconds that the terminal's clock is fast; oldest,
        newest: from when to when checks are judged. rules[scene, profile]: whether it serves there, and how many may use
        one. holder, place: who claims.
        """
        cdef list found = [None] * len(checks)
        cdef _Holder who = _Holder()
        cdef _Told told
        cdef _Kept card
        cdef Py_ssize_t n
        cdef size_t lane = 0
        cdef bint serves
        cdef unsigned uses
        cdef str payload
        who.holder, who.place = holder, place
        sealed = [check.payload for check in checks if _is_sealed(check.payload)]
        cdef _Opened in_lanes = _Opened(self._lend_active(len(sealed)), sealed) if sealed else None
        for n, check in enumerate(checks):
            at, payload = check.at - drift, check.payload
            lane += _is_sealed(payload)
            if not oldest <= at <= newest or not PyUnicode_IS_ASCII(payload):
                continue
            if _is_sealed(payload):
                of = self._said(in_lanes, lane - 1, at, &told)
            else:
                of = self.open(<const uint8_t *>PyUnicode_DATA(payload), PyUnicode_GET_LENGTH(payload), at, &told)
            if of is None:
                continue
            profile = _PROFILES[told.profile]
            serves, uses = rules[check.scene, profile]
            card = self._host.usable(of, now, at, &told)
            if not serves or card is None or not self._host.take(&told, at, who, uses if check.accepted else 0):
                continue
            if card.profile != profile:
                card.profile, card.verdict = profile, self._verdict(card.status, profile)
            found[n] = card.verdict
        return found

    cdef object _said(self, _Opened opened, size_t i, int64_t at, _Told *told):
        """As open()."""
        cdef ehc_compact said
        if not opened.says(i, &said):
            return None
        told.expiry = opened.expiry[i]
        _hold(&said, told)
        if at > told.until + self._window.tolerance or told.issued_at > at + self._window.tolerance:
            return None
        return opened.account[i]


cdef void _hold(const ehc_compact *said, _Told *told):
    """What a compact code says, but for its expiry, which is there."""
    told.profile, told.must_be_issued, told.issued_at = COMPACT, False, said.issued_at
    told.until = told.issued_at + NO_END if told.expiry == INT64_MAX else told.expiry
    told.code[0] = c"E"
    _write_serial_name(said, told.code + 1)
    told.code_length = 1 + SERIAL_NAME


cdef inline bint _is_sealed(str payload):
    return payload.startswith("EHC2:")


cdef bint _find_payload(const uint8_t *text, size_t length, size_t *start, size_t *end):
    """Where the first member of this name has its text; False when that is not plain ASCII between quotes."""
    cdef const uint8_t *at = <const uint8_t *>memmem(text, length, b'"payload"', 9)
    cdef size_t i
    if at == NULL:
        return False
    i = at - text + 9
    while i < length and (text[i] == c' ' or text[i] == c':'):
        i += 1
    if i == length or text[i] != c'"':
        return False
    start[0] = i + 1
    i += 1
    while i < length and 32 <= text[i] < 127 and text[i] != c'"' and text[i] != 92:
        i += 1
    end[0] = i
    return i < length and text[i] == c'"'


cdef bytes _around(bytes body, size_t start, size_t end):
    """What stands before and behind."""
    cdef size_t length = PyBytes_GET_SIZE(body)
    cdef bytes rest = PyBytes_FromStringAndSize(NULL, start + length - end)
    memcpy(PyBytes_AS_STRING(rest), PyBytes_AS_STRING(body), start)
    memcpy(PyBytes_AS_STRING(rest) + start, PyBytes_AS_STRING(body) + end, length - end)
    return rest


cdef Py_ssize_t _write_visit(const _Told *told, uint64_t holder, char *at):
    """As ehc.codes.visit.visit_of, a text in JSON; null where there is no holder. How long it is."""
    cdef uint8_t both[CODE_ROOM + 6]
    cdef uint8_t digest[32]
    if not holder:
        memcpy(at, b"null", 4)
        return 4
    memcpy(both, told.code, told.code_length)
    _big_endian(holder, both + told.code_length, 6)
    ehc_sm3(both, told.code_length + 6, digest)
    at[0] = at[VISIT - 1] = c'"'
    ehc_hex(digest, 8, <uint8_t *>at + 1)
    return VISIT
