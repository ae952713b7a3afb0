# host.pxi: both ends of the host protocol of crypto machines. Part of _native.pyx.


@cython.final
cdef class HostMachine:
    """The machine's end: answers frames with the keys it was made with, which it keeps.

    security, protection: {version: (KeyHandle, what it may: 1 make | 2 open)}; text: what NC says, at most 255 bytes;
    counts: of the machine before this one, which are gone on with.
    """
    cdef ehc_host _host
    cdef object _handles
    cdef readonly object counts  # uint32[operations, 256]: what was done, by key version; of refusals by code

    def __cinit__(self, dict security not None, dict protection not None, bytes text not None, int refuses=0,
                  object counts=None):
        if PyBytes_GET_SIZE(text) > EHC_HOST_TEXT:
            raise ValueError(f"what NC says has at most {EHC_HOST_TEXT} bytes, not {len(text)}")
        self._handles = (security, protection)
        for version, (key, may) in security.items():
            self._put(self._host.security, version, key, may)
        for version, (key, may) in protection.items():
            self._put(self._host.protection, version, key, may)
        self._host.text_length = <uint8_t>PyBytes_GET_SIZE(text)
        memcpy(self._host.text, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        self._host.refuses = refuses
        shape = EHC_HOST_OPERATIONS, EHC_HOST_VERSIONS
        self.counts = np.zeros(shape, np.uint32) if counts is None else counts
        if self.counts.shape != shape:
            raise ValueError(f"counts have the shape {shape}, not {self.counts.shape}")

    cdef int _put(self, ehc_host_key *keys, int version, KeyHandle key, unsigned may) except -1:
        if not 1 <= version < EHC_HOST_VERSIONS:
            raise ValueError(f"a key version is 1 to 255, not {version}")
        keys[version].key, keys[version].may = &key._key, may
        return 0

    def answer(self, const uint8_t[::1] frames not None, size_t begin, size_t end, uint8_t[::1] answers not None):
        """(bytes of frames[begin:end] answered, bytes written into answers)"""
        cdef uint32_t[:, ::1] counts = self.counts
        cdef size_t taken = 0, written = 0
        if begin < end <= <size_t>frames.shape[0] and answers.shape[0]:
            with nogil:
                taken = ehc_host_answer(&self._host, &frames[begin], end - begin, &answers[0], answers.shape[0],
                                        &written, <uint32_t (*)[256]>&counts[0, 0])
        return taken, written


@cython.final
cdef class HostRows:
    """The client's end: rows of people that a machine makes cards of, asked for and taken part by part.

    The arrays are those of a batch that check_rows has seen, all of n rows; codes[i] says why row i has no card.
    """
    cdef const uint8_t[::1] _data, _id_lengths, _card_id_lengths
    cdef const uint32_t[::1] _offsets
    cdef uint8_t[:, ::1] _mindex, _card_id
    cdef uint8_t[::1] _codes
    cdef size_t _n

    def __cinit__(self, const uint8_t[::1] data not None, const uint32_t[::1] offsets not None,
                  const uint8_t[::1] id_lengths not None, const uint8_t[::1] card_id_lengths not None,
                  uint8_t[:, ::1] mindex not None, uint8_t[:, ::1] card_id not None, uint8_t[::1] codes not None):
        self._n = codes.shape[0]
        if (<size_t>offsets.shape[0] != self._n + 1 or <size_t>id_lengths.shape[0] != self._n
                or <size_t>card_id_lengths.shape[0] != self._n or _rows_of(mindex) != self._n
                or _rows_of(card_id) != self._n):
            raise ValueError("the arrays of a batch must have the same number of rows")
        check_rows(data, offsets, id_lengths)
        self._data, self._offsets, self._id_lengths, self._card_id_lengths = data, offsets, id_lengths, card_id_lengths
        self._mindex, self._card_id, self._codes = mindex, card_id, codes

    cdef const uint8_t *_people(self):
        return &self._data[0] if self._data.shape[0] else NOTHING

    cdef int _within(self, size_t begin, size_t end) except -1:
        if not begin < end <= self._n:
            raise IndexError(f"rows {begin} to {end} of {self._n}")
        return 0

    def ask_digests(self, size_t begin, size_t end):
        """uint8[…]: the frames that ask for the digests of rows begin..end-1."""
        self._within(begin, end)
        cdef size_t i, size = 0, room = EHC_HOST_ASK_MORE * (end - begin)
        for i in range(begin, end):
            room += self._offsets[i + 1] - self._offsets[i] if self._offsets[i + 1] > self._offsets[i] else 0
        frames = np.empty(room, np.uint8)
        cdef uint8_t[::1] out = frames
        cdef const uint8_t *people = self._people()
        with nogil:
            size = ehc_host_ask_digests(people, &self._offsets[begin], &self._id_lengths[begin], end - begin,
                                        &self._codes[begin], &out[0])
        return frames[:size]

    def ask_cards(self, size_t begin, size_t end, unsigned version):
        """uint8[…]: the frames that ask for the card ids of rows begin..end-1, whose digests are there."""
        self._within(begin, end)
        cdef size_t size = 0
        frames = np.empty(EHC_HOST_ASK_MORE * (end - begin), np.uint8)
        cdef uint8_t[::1] out = frames
        cdef const uint8_t *people = self._people()
        with nogil:
            size = ehc_host_ask_cards(&self._mindex[begin, 0], people, &self._offsets[begin], &self._id_lengths[begin],
                                      &self._card_id_lengths[begin], end - begin, version, &self._codes[begin],
                                      &out[0])
        return frames[:size]

    def take(self, bint digests, size_t begin, size_t end, const uint8_t[::1] answers not None, size_t at, size_t stop):
        """(next row that waits, bytes taken) of answers[at:stop]; None: something is no answer to what was asked."""
        self._within(begin, end)
        cdef size_t row = 0, taken = 0
        cdef uint8_t *rows = &self._mindex[begin, 0] if digests else &self._card_id[begin, 0]
        cdef const uint8_t *lengths = NULL if digests else &self._card_id_lengths[begin]
        if not at <= stop <= <size_t>answers.shape[0] or answers.shape[0] == 0:
            raise IndexError(f"answers {at} to {stop} of {answers.shape[0]}")
        right = ehc_host_take(&answers[0] + at, stop - at, lengths, end - begin, &self._codes[begin], rows, &row,
                              &taken)
        return (begin + row, taken) if right else None
