# rows.pxi: rows of people, from Python objects or columns into packed bytes, and from there to cards. Part of _native.pyx.

cdef extern from "exact_rows.h":
    size_t text_room(object text)
    uint8_t *write_text(uint8_t *to, object text)
    Py_ssize_t exact_row_room(object row)
    uint8_t *exact_row_write(uint8_t *to, object row, size_t *id_length)


@cython.final
cdef class _Memory:
    """Memory that numpy looks at: freed with this object, or kept by its owner."""
    cdef void *data
    cdef Py_ssize_t size
    cdef object owner

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, self.owner is not None, flags)

    def __dealloc__(self):
        if self.owner is None:
            free(self.data)


cdef object _array(void *data, Py_ssize_t size, dtype, owner=None):
    """An array over `size` bytes."""
    cdef _Memory memory = _Memory()
    memory.data, memory.size, memory.owner = data, size, owner
    return np.frombuffer(memory, dtype)


cdef class _Rows:
    """Growing packed rows: text after text, where each row ends, and how much of it is the id."""
    cdef uint8_t *data
    cdef uint32_t *ends
    cdef uint8_t *id_lengths
    cdef size_t size, room, count, rows_room

    def __cinit__(self):
        self.grow_rows(31)
        self.ends[0] = 0

    def __dealloc__(self):
        free(self.data)
        free(self.ends)
        free(self.id_lengths)

    cdef int expect(self, Py_ssize_t n) except -1:
        """Room for so many rows of the usual length."""
        if n > 0:
            self.grow_rows(n)
            self.reserve(40 * n)
        return 0

    cdef inline int reserve(self, size_t n) except -1:
        return 0 if self.size + n <= self.room else self.grow_data(n)

    cdef int grow_data(self, size_t n) except -1:
        cdef size_t room = self.size + self.size // 2 + n + 1024
        grown = <uint8_t *>realloc(self.data, room)
        if grown == NULL:
            raise MemoryError()
        self.data, self.room = grown, room
        return 0

    cdef int grow_rows(self, size_t room) except -1:
        """Room for so many rows, and for the end of the last one."""
        ends = <uint32_t *>realloc(self.ends, (room + 1) * sizeof(uint32_t))
        if ends == NULL:
            raise MemoryError()
        self.ends = ends
        lengths = <uint8_t *>realloc(self.id_lengths, room + 1)
        if lengths == NULL:
            raise MemoryError()
        self.id_lengths, self.rows_room = lengths, room
        return 0

    cdef inline int end_row(self, size_t id_length=0) except -1:
        if self.size > 0xFFFFFFFF:
            raise ValueError("a batch holds at most 4 GiB; split it")
        if self.count == self.rows_room:
            self.grow_rows(2 * self.rows_room)
        self.id_lengths[self.count] = <uint8_t>(id_length if id_length < 255 else 255)
        self.count += 1
        self.ends[self.count] = <uint32_t>self.size
        return 0

    cdef inline int add(self, row, list errors) except -1:
        """A row, or an empty one and an error (its number, the reason)."""
        cdef size_t id_length = 0
        cdef uint8_t *end
        cdef Py_ssize_t room = exact_row_room(row)
        if room < 0:
            return self.add_any(row, errors)
        self.reserve(room)
        end = exact_row_write(self.data + self.size, row, &id_length)
        if end == NULL:
            return self.add_any(row, errors)  # it says where
        self.size = end - self.data
        return self.end_row(id_length)

    cdef int add_any(self, row, list errors) except -1:
        cdef size_t before = self.size, id_length = 0
        try:
            id_type, id_number, name = row
            id_length = self.append(id_type)
            id_length += self.append(id_number)
            self.append(name)
        except UnicodeEncodeError as error:
            errors.append((self.count, f"cannot be written in UTF-8: {error.reason} at character {error.start}"))
            self.size, id_length = before, 0
        except (TypeError, ValueError) as error:
            errors.append((self.count, f"not an (id_type, id_number, name) of text: {error}"))
            self.size, id_length = before, 0
        return self.end_row(id_length)

    cdef Py_ssize_t append(self, cell) except -1:
        """Bytes as they are, text in UTF-8; how many bytes were added."""
        cdef size_t before = self.size
        if isinstance(cell, str):
            self.append_text(cell)
        elif isinstance(cell, bytes):
            self.append_bytes(PyBytes_AS_STRING(cell), PyBytes_GET_SIZE(cell))
        else:
            raise TypeError(f"str or bytes wanted, not {type(cell).__name__}")
        return self.size - before

    cdef int append_bytes(self, const char *p, size_t n) except -1:
        self.reserve(n)
        memcpy(self.data + self.size, p, n)
        self.size += n
        return 0

    cdef int append_text(self, text) except -1:  # a str or of a subclass
        cdef uint8_t *end
        self.reserve(text_room(text))
        end = write_text(self.data + self.size, text)
        if end == NULL:
            str.encode(text)  # raises the error that names the place
        self.size = end - self.data
        return 0

    cdef tuple arrays(self):
        """(data, offsets, id_lengths), without a copy; the rows are theirs."""
        cdef uint8_t *data = self.data
        cdef uint32_t *ends = self.ends
        cdef uint8_t *lengths = self.id_lengths
        cdef size_t size = self.size, count = self.count
        self.data, self.ends, self.id_lengths = NULL, NULL, NULL
        return (_array(data, size, np.uint8), _array(ends, (count + 1) * sizeof(uint32_t), np.uint32),
                _array(lengths, count, np.uint8))


cdef _Rows _packed(source, list errors):
    cdef _Rows rows = _Rows()
    if isinstance(source, (list, tuple)):
        rows.expect(len(source))
    for row in source:
        rows.add(row, errors)
    return rows


def pack_rows(source):
    """(data, offsets, id_lengths, [(row, reason)]) of an iterable of (id_type, id_number, name)."""
    errors = []
    cdef _Rows rows = _packed(source, errors)
    return *rows.arrays(), errors


def derive_rows(key, source):
    """(mindex, card_id, status, bad rows, id_lengths, [(row, reason)]) of an iterable of (id_type, id_number, name), without an
    array for what is packed in between: the short way for few rows."""
    cdef KeyHandle handle = _handle(key)
    errors = []
    cdef _Rows rows = _packed(source, errors)
    cdef size_t bad = 0, n = rows.count
    cdef uint8_t *lengths = rows.id_lengths
    cdef Py_buffer m, c, s
    mindex, card_id, status = np.empty((n, 32), np.uint8), np.empty((n, 32), np.uint8), np.empty(n, np.uint8)
    if n:
        PyObject_GetBuffer(mindex, &m, PyBUF_CONTIG)
        PyObject_GetBuffer(card_id, &c, PyBUF_CONTIG)
        PyObject_GetBuffer(status, &s, PyBUF_CONTIG)
        with nogil:
            bad = ehc_derive_batch(&handle._key, rows.data, rows.ends, lengths, n, <uint8_t *>m.buf, <uint8_t *>c.buf,
                                   <uint8_t *>s.buf)
        PyBuffer_Release(&m)
        PyBuffer_Release(&c)
        PyBuffer_Release(&s)
    rows.id_lengths = NULL
    return mindex, card_id, status, bad, _array(lengths, n, np.uint8), errors


def check_rows(const uint8_t[::1] data not None, const uint32_t[::1] offsets not None,
               const uint8_t[::1] id_lengths not None):
    """Raises ValueError unless there is an offset more than rows and all lie inside the data."""
    cdef size_t n = id_lengths.shape[0]
    cdef size_t i, size = data.shape[0]
    cdef uint32_t last = 0
    if offsets.shape[0] != <Py_ssize_t>(n + 1):
        raise ValueError(f"{n} rows need {n + 1} offsets, not {offsets.shape[0]}")
    for i in range(n + 1):
        last = max(last, offsets[i])
    if last > size:
        i = next(k for k in range(n + 1) if offsets[k] > size)
        raise ValueError(f"offsets[{i}] = {offsets[i]} lies past the {size} bytes of data")


def derive(key, const uint8_t[::1] data not None, const uint32_t[::1] offsets not None,
           const uint8_t[::1] id_lengths not None, uint8_t[:, ::1] mindex not None, uint8_t[:, ::1] card_id not None,
           uint8_t[::1] status not None, size_t begin, size_t end):
    """Derives rows begin..end-1 of arrays that check_rows has seen, into theirs of n rows; how many were bad."""
    cdef KeyHandle handle = _handle(key)
    cdef size_t bad = 0
    if begin < end <= min(<size_t>id_lengths.shape[0], <size_t>status.shape[0], _rows_of(mindex), _rows_of(card_id)):
        with nogil:
            bad = ehc_derive_batch(&handle._key, &data[0] if data.shape[0] else NULL, &offsets[begin],
                                   &id_lengths[begin], end - begin, &mindex[begin, 0], &card_id[begin, 0],
                                   &status[begin])
    return bad


def rekey(old_key, new_key, const uint8_t[::1] data not None, const uint32_t[::1] offsets not None,
          const uint8_t[::1] id_lengths not None, uint8_t[:, ::1] old_card_id not None,
          uint8_t[:, ::1] new_card_id not None, uint8_t[::1] status not None, size_t begin, size_t end):
    """As derive: card ids under two keys."""
    cdef KeyHandle old = _handle(old_key), new = _handle(new_key)
    cdef size_t bad = 0
    if begin < end <= min(<size_t>id_lengths.shape[0], <size_t>status.shape[0], _rows_of(old_card_id),
                          _rows_of(new_card_id)):
        with nogil:
            bad = ehc_rekey_batch(&old._key, &new._key, &data[0] if data.shape[0] else NULL, &offsets[begin],
                                  &id_lengths[begin], end - begin, &old_card_id[begin, 0], &new_card_id[begin, 0],
                                  &status[begin])
    return bad


cdef inline size_t _rows_of(const uint8_t[:, ::1] ids):
    return ids.shape[0] if ids.shape[1] == 32 else 0


cdef class _Columns:
    """The three columns of people, checked."""
    cdef ehc_column id_type, id_number, name
    cdef size_t n, size

    def __cinit__(self, const uint8_t[::1] type_data not None, const int32_t[::1] type_offsets not None,
                  const uint8_t[::1] number_data not None, const int32_t[::1] number_offsets not None,
                  const uint8_t[::1] name_data not None, const int32_t[::1] name_offsets not None):
        if type_offsets.shape[0] == 0:
            raise ValueError("a column of n rows has n + 1 offsets, at least one")
        if number_offsets.shape[0] != type_offsets.shape[0] or name_offsets.shape[0] != type_offsets.shape[0]:
            raise ValueError("the three columns must have the same number of rows")
        self.n = type_offsets.shape[0] - 1
        self.id_type = _column(type_data, type_offsets)
        self.id_number = _column(number_data, number_offsets)
        self.name = _column(name_data, name_offsets)
        self.size = type_data.shape[0] + number_data.shape[0] + name_data.shape[0]
        if self.size > 0xFFFFFFFF:
            raise ValueError("a batch holds at most 4 GiB of rows; split it")


cdef const uint8_t *NOTHING = b""


cdef ehc_column _column(const uint8_t[::1] data, const int32_t[::1] offsets) except *:
    cdef ehc_column column
    _check_offsets(&offsets[0], offsets.shape[0], data.shape[0])
    column.data, column.offsets = &data[0] if data.shape[0] else NOTHING, &offsets[0]
    return column


cdef int _check_offsets(const int32_t *offsets, Py_ssize_t n, Py_ssize_t size) except -1:
    """A pass without a branch; where that finds something, another that says what."""
    cdef Py_ssize_t i
    cdef int32_t last = 0
    cdef int wrong = offsets[0] < 0 or offsets[n - 1] > size
    for i in range(n - 1):
        wrong |= offsets[i + 1] < offsets[i]
    if wrong:
        for i in range(n):
            if offsets[i] < last or offsets[i] > size:
                raise ValueError(f"column offset {i} is {offsets[i]}: not between {last} and {size}")
            last = offsets[i]
    return 0


def pack_columns(*columns):
    """(data, offsets, id_lengths, status): rows of Arrow columns that are canonical already; the others have
    status EHC_ROW_IRREGULAR and no bytes."""
    cdef _Columns people = _Columns(*columns)
    data = np.empty(people.size + 1, np.uint8)
    offsets = np.zeros(people.n + 1, np.uint32)
    id_lengths, status = np.empty(people.n, np.uint8), np.empty(people.n, np.uint8)
    cdef uint8_t[::1] out = data, lengths = id_lengths, s = status
    cdef uint32_t[::1] ends = offsets
    if people.n:
        with nogil:
            ehc_pack_columns(&people.id_type, &people.id_number, &people.name, people.n, &out[0], &ends[0],
                             &lengths[0], &s[0])
    return data[:offsets[people.n]], offsets, id_lengths, status


def join_columns(*columns):
    """(data, offsets, id_lengths): the rows of Arrow columns as they are."""
    cdef _Columns people = _Columns(*columns)
    data = np.empty(people.size + EHC_JOIN_SLACK, np.uint8)
    offsets, id_lengths = np.zeros(people.n + 1, np.uint32), np.empty(people.n, np.uint8)
    cdef uint8_t[::1] out = data, lengths = id_lengths
    cdef uint32_t[::1] ends = offsets
    cdef size_t size = 0
    if people.n:
        with nogil:
            size = ehc_join_columns(&people.id_type, &people.id_number, &people.name, people.n, &out[0], &ends[0],
                                    &lengths[0])
    return data[:size], offsets, id_lengths


def card_lines(const int64_t[::1] lines not None, const uint8_t[:, ::1] mindex, const uint8_t[:, ::1] card_id not None,
               const uint8_t[::1] card_id_lengths not None):
    """uint8[...]: CSV lines of the rows whose length is not 0; mindex None: without that column."""
    cdef size_t n = lines.shape[0], size = 0
    if n != <size_t>card_id_lengths.shape[0] or n != _rows_of(card_id) or (mindex is not None and n != _rows_of(mindex)):
        raise ValueError("lines, ids and lengths must have the same number of rows")
    text = np.empty(n * EHC_CARD_LINE, np.uint8)
    cdef uint8_t[::1] out = text
    if n:
        with nogil:
            size = ehc_card_lines(&lines[0], &mindex[0, 0] if mindex is not None else NULL, &card_id[0, 0],
                                  &card_id_lengths[0], n, &out[0])
    return text[:size]


# The structures of the Arrow C data interface, as far as a text column needs them.
cdef struct _ArrowSchema:
    const char *format
    const char *name
    const char *metadata
    int64_t flags
    int64_t n_children
    void **children
    void *dictionary
    void *release
    void *private_data


cdef struct _ArrowArray:
    int64_t length
    int64_t null_count
    int64_t offset
    int64_t n_buffers
    int64_t n_children
    const void **buffers
    void **children
    void *dictionary
    void *release
    void *private_data


def arrow_text(array):
    """(bytes, offsets, validity bits or None, index of the first bit) of an object with __arrow_c_array__, which lives as
    long as they do. None when it holds something else than text or bytes with one offset a row."""
    schema, held = array.__arrow_c_array__()
    cdef _ArrowSchema *kind = <_ArrowSchema *>PyCapsule_GetPointer(schema, "arrow_schema")
    cdef _ArrowArray *found = <_ArrowArray *>PyCapsule_GetPointer(held, "arrow_array")
    cdef bytes form = kind.format
    if form not in (b"u", b"z", b"U", b"Z") or kind.dictionary != NULL:
        return None
    cdef bint wide = form in (b"U", b"Z")
    cdef int64_t width = 8 if wide else 4
    cdef const uint8_t *places = <const uint8_t *>found.buffers[1]
    if places == NULL:  # allowed where there are no rows
        return np.empty(0, np.uint8), np.zeros(1, np.int32), None, 0
    offsets = _array(<void *>(places + width * found.offset), width * (found.length + 1),
                     np.int64 if wide else np.int32, held)
    data = _array(<void *>found.buffers[2], offsets[found.length] if found.buffers[2] != NULL else 0, np.uint8, held)
    bits = None
    if found.null_count != 0 and found.buffers[0] != NULL:
        bits = _array(<void *>found.buffers[0], (found.offset + found.length + 7) // 8, np.uint8, held)
    return data, offsets, bits, found.offset
