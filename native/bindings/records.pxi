# records.pxi: what sources say of people (ehc.index.lines.Line), as the master index keeps it and finds it. Part of _native.pyx.
#
# Only the plain: texts of letters, digits and han characters, which no rule of ehc.index.record changes or refuses. What it
# comes to is defined there and in ehc.index.keys; this is the same, without an object for each step.

cdef extern from "resident_id.h":
    int is_digit(uint8_t c)
    unsigned two_digits(const uint8_t *at)
    unsigned last_day_of_any_year(unsigned month)

cdef enum:
    MOST_NAME = 100  # characters, as record.LENGTHS
    MOST_ADDRESS = 200
    MOST_NUMBER = 64  # domain.VALUE_CHARACTERS, and the longest code of a domain
    MOST_NUMBERS = 8
    BODY = 4096  # bytes: 3 for each character of name, mother and address, MOST_NUMBERS with their codes

cdef inline bint _is_letter(uint32_t c) noexcept:
    """Or a digit or a hyphen."""
    return c - 48 < <uint32_t>10 or (c | 32) - 97 < <uint32_t>26 or c == 45


cdef bint _is_plain(str text, Py_ssize_t most) noexcept:
    """Letters and digits of ASCII, han characters of the basic block (U+4E00 to U+9FFF), hyphens, and two forms of the interpunct."""
    cdef Py_ssize_t i, n = PyUnicode_GET_LENGTH(text)
    cdef const uint8_t *ascii = <const uint8_t *>PyUnicode_DATA(text)
    cdef const uint16_t *wide = <const uint16_t *>PyUnicode_DATA(text)
    if n > most:
        return False
    if PyUnicode_IS_ASCII(text):
        for i in range(n):
            if not _is_letter(ascii[i]):
                return False
        return True
    if PyUnicode_KIND(text) != 2:
        return False
    for i in range(n):
        if not (<uint16_t>(wide[i] - 0x4E00) < 0x5200 or _is_letter(wide[i]) or wide[i] == 0xB7 or wide[i] == 0x30FB):
            return False
    return True


cdef bint _is_code(str text) noexcept:
    return PyUnicode_IS_ASCII(text) and 0 < PyUnicode_GET_LENGTH(text) <= MOST_NUMBER


cdef bint _is_number(str text) noexcept:
    """Digits and capital letters of ASCII."""
    cdef Py_ssize_t i, n = PyUnicode_GET_LENGTH(text)
    cdef const uint8_t *p = <const uint8_t *>PyUnicode_DATA(text)
    if not 0 < n <= MOST_NUMBER or not PyUnicode_IS_ASCII(text):
        return False
    for i in range(n):
        if not (is_digit(p[i]) or <uint8_t>(p[i] - 65) < 26):
            return False
    return True


cdef bint _is_phone(str text) noexcept:
    return PyUnicode_GET_LENGTH(text) == 11 and PyUnicode_IS_ASCII(text) and _are_digits(text, 0, 11)


cdef bint _are_digits(str text, Py_ssize_t begin, Py_ssize_t end) noexcept:
    cdef Py_ssize_t i
    cdef const uint8_t *p = <const uint8_t *>PyUnicode_DATA(text)
    for i in range(begin, end):
        if not is_digit(p[i]):
            return False
    return True


cdef bint _is_day(str text) noexcept:
    """YYYY-MM-DD, whichever the year."""
    cdef const uint8_t *p = <const uint8_t *>PyUnicode_DATA(text)
    cdef unsigned month, day
    if PyUnicode_GET_LENGTH(text) != 10 or not PyUnicode_IS_ASCII(text) or p[0] == 48 or p[4] != 45 or p[7] != 45:
        return False
    if not _are_digits(text, 0, 4) or not _are_digits(text, 5, 7) or not _are_digits(text, 8, 10):
        return False
    month, day = two_digits(p + 5), two_digits(p + 8)
    return 1 <= month <= 12 and 1 <= day <= last_day_of_any_year(month)


cdef uint8_t *_packed_text(uint8_t *to, str text):
    """A text in MessagePack."""
    cdef uint8_t *end = write_text(to + 3, text)
    cdef size_t n = end - (to + 3), head = 1 if n < 32 else 2 if n < 256 else 3
    if head == 1:
        to[0] = <uint8_t>(0xA0 | n)
    elif head == 2:
        to[0], to[1] = 0xD9, <uint8_t>n
    else:
        to[0], to[1], to[2] = 0xDA, <uint8_t>(n >> 8), <uint8_t>n
    if head < 3:
        memmove(to + head, to + 3, n)
    return to + head + n


cdef uint8_t *_packed_identifier(uint8_t *to, str domain, str value):
    """A sound one that is good."""
    to[0] = 0x94
    to = _packed_text(_packed_text(to + 1, domain), value)
    to[0], to[1] = 0xC3, 0xC0
    return to + 2


cdef str _mindex(str number, str name):
    """Of a resident id and a name that is plain."""
    cdef uint8_t text[2 + MOST_NUMBER + 3 * MOST_NAME]
    cdef uint8_t digest[32]
    memcpy(text, b"01", 2)
    cdef uint8_t *end = write_text(write_text(text + 2, number), name)
    ehc_sm3(text, end - text, digest)
    return _hex_text(digest, 32)


@cython.final
cdef class _Texts:
    """What keys stand for, a line each."""
    cdef _Rows rows
    cdef Py_ssize_t count

    def __cinit__(self):
        self.rows, self.count = _Rows(), 0

    cdef int add(self, const char *kind, str one, str other) except -1:
        if one is None or other is None:
            raise TypeError("a text wanted, not None")
        self.rows.append_bytes(kind, 3)
        self.rows.append_text(one)
        self.rows.append_bytes(b"\0", 1)
        self.rows.append_text(other)
        return self.end()

    cdef int add_any(self, texts) except -1:
        for text in texts:
            self.rows.append_text(text)
            self.end()
        return 0

    cdef int end(self) except -1:
        self.rows.append_bytes(b"\n", 1)
        self.count += 1
        return 0

    cdef bytes joined(self):
        return PyBytes_FromStringAndSize(<char *>self.rows.data, self.rows.size)


@cython.final
cdef class _Line:
    """The texts of one, each looked at once."""
    cdef str source, local_id, name, sex, birth_date, phone, address, mother, birth_order, mother_document
    cdef dict identifiers

    cdef int take(self, line) except -1:
        self.source, self.local_id, self.name, self.sex = line.source, line.local_id, line.name, line.sex
        self.birth_date, self.phone, self.address, self.mother = line.birth_date, line.phone, line.address, line.mother
        self.birth_order, self.mother_document = line.birth_order, line.mother_document
        self.identifiers = line.identifiers
        if None in (self.source, self.local_id, self.name, self.sex, self.birth_date, self.phone, self.address, self.mother,
                    self.birth_order, self.mother_document, self.identifiers):
            raise TypeError("a text wanted, not None")
        return 0

    cdef bint is_plain(self) except -1:
        """All but its numbers."""
        return (_is_plain(self.name, MOST_NAME) and _is_plain(self.address, MOST_ADDRESS)
                and _is_plain(self.mother, MOST_NAME) and self.sex in ("", "1", "2")
                and (not self.birth_date or _is_day(self.birth_date)) and (not self.phone or _is_phone(self.phone))
                and not self.birth_order and not self.mother_document)

    cdef list numbers(self, dict domains):
        """Domains and numbers, its own first, and the mindex of its resident id; None where one is not plain."""
        cdef list found = [(self.source, self.local_id)]
        cdef str code, text, resident = None
        if domains.get(self.source) is not False or not _is_code(self.source) or not _is_number(self.local_id):
            return None
        for code, text in self.identifiers.items():
            if not text:
                continue
            is_resident = domains.get(code)
            if code is None or code == self.source or is_resident is None or not _is_code(code) or not _is_number(text):
                return None
            if is_resident:
                if not is_plain_resident_id(text):
                    return None
                resident = text
            found.append((code, text))
        if resident is not None and self.name:
            found.append(("mindex", _mindex(resident, self.name)))
        return found if len(found) <= MOST_NUMBERS else None

    cdef bytes body(self, list numbers):
        """As record.encode; both are plain."""
        cdef uint8_t body[BODY]
        cdef uint8_t *to = body + 1
        body[0] = 0x9A
        for text in (self.source, self.local_id, self.name, self.sex, self.birth_date, self.phone, self.address,
                     self.mother, ""):
            to = _packed_text(to, <str>text)
        to[0] = <uint8_t>(0x90 | len(numbers))
        to += 1
        for domain, value in numbers:
            to = _packed_identifier(to, <str>domain, <str>value)
        return PyBytes_FromStringAndSize(<char *>body, to - body)

    cdef int add_blocks(self, _Texts texts, latin) except -1:
        """As keys.block_texts of a record whose numbers are sound."""
        cdef str name = latin(self.name) if self.name else ""
        if self.birth_date:
            if name:
                texts.add(b"nb:", name, self.birth_date)
            if self.mother:
                texts.add(b"bm:", self.birth_date, latin(self.mother))
            if self.phone:
                texts.add(b"bp:", self.birth_date, self.phone)
        if name:
            if self.phone:
                texts.add(b"pn:", self.phone, name)
            if self.address:
                texts.add(b"na:", name, self.address)
        return 0


def record_rows(lines, dict domains not None, latin, other):
    """(bodies, texts, ends, numbers) of rows with the attributes of ehc.index.lines.Line: what is kept of each; what their keys stand
    for, a line each, and where a row's end and how many of them are numbers'.

    domains: those whose numbers have a form that is known here: True where it is a resident id's, False where any will do.
    latin: a name as it is compared. other(line): (body, texts of its numbers, texts of its blocks) of a row that is not
    plain; None: it is no record, and left out. Raises TypeError for what is no text where one must be.
    """
    cdef _Texts texts = _Texts()
    cdef _Line row = _Line()
    cdef list bodies = [], ends = [], numbers = [], found
    for line in lines:
        row.take(line)
        found = row.numbers(domains) if row.is_plain() else None
        if found is not None:
            bodies.append(row.body(found))
            for domain, value in found:
                texts.add(b"id:", <str>domain, <str>value)
            numbers.append(len(found))
            row.add_blocks(texts, latin)
        else:
            told = other(line)
            if told is None:
                continue
            body, own, blocks = told
            bodies.append(body)
            texts.add_any(own)
            numbers.append(len(own))
            texts.add_any(blocks)
        ends.append(texts.count)
    return bodies, texts.joined(), np.array(ends, np.int64), np.array(numbers, np.int64)
