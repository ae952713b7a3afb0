# hot.pxi: what a plain request costs before its body is there and once its answer is. Part of _native.pyx.

cdef extern from "time.h" nogil:
    ctypedef long time_t
    cdef struct timespec:
        time_t tv_sec
        long tv_nsec
    enum:
        CLOCK_MONOTONIC
        CLOCK_REALTIME
    int clock_gettime(int clock, timespec *at)

cdef enum:
    LONGEST_LENGTH = 9  # digits


cdef inline double _monotonic():
    """As time.monotonic and time.perf_counter."""
    cdef timespec at
    clock_gettime(CLOCK_MONOTONIC, &at)
    return at.tv_sec + at.tv_nsec / 1e9


def wall_seconds():
    """Whole seconds since 1970."""
    cdef timespec at
    clock_gettime(CLOCK_REALTIME, &at)
    return at.tv_sec


@cython.final
cdef class Door:
    """A key that is known, with what its caller may do. ends_at: seconds since 1970 from which on it is refused, or None."""
    cdef readonly object caller, ends_at
    cdef readonly frozenset scopes
    cdef readonly tuple buckets

    def __init__(self, caller, frozenset scopes not None, ends_at, tuple buckets not None):
        self.caller, self.scopes, self.ends_at, self.buckets = caller, scopes, ends_at, buckets


@cython.final
cdef class Doors:
    """Doors by the header that was accepted. until: of time.monotonic, as long as what is known may be used; asked: since
    somebody set it to False; most: so many are kept."""
    cdef dict _seen
    cdef Py_ssize_t _most
    cdef public double until
    cdef public bint asked

    def __init__(self, Py_ssize_t most):
        self._seen, self._most, self.until, self.asked = {}, most, -1, False

    def find(self, authorization):
        return self._seen.get(authorization)

    def add(self, authorization, Door door not None):
        if len(self._seen) < self._most:
            self._seen[authorization] = door

    def clear(self):
        self._seen.clear()

    cdef Door enter(self, authorization, scope):
        """One request out of its rates; None, and nothing was taken, where that has to be looked at."""
        cdef double now = _monotonic()
        self.asked = True
        door = <Door>self._seen.get(authorization)
        if door is None or now > self.until or door.ends_at is not None or scope not in door.scopes:
            return None
        return None if take_each(door.buckets, now) else door


@cython.final
cdef class Operation:
    """How often one endpoint was asked: statuses: how often it answered with each; seconds: requests in each bucket of a
    histogram, by its upper bounds, those over all of them, seconds in all."""
    cdef readonly dict statuses
    cdef list _bounds
    cdef double _seconds[33]
    cdef Py_ssize_t _buckets

    def __init__(self, bounds):
        self.statuses, self._bounds, self._buckets = {}, list(bounds), len(bounds) + 1
        if self._buckets > 32:
            raise ValueError("a histogram has at most 31 bounds")

    @property
    def seconds(self):
        return [self._seconds[i] for i in range(self._buckets + 1)]

    cpdef request(self, status, double seconds):
        cdef Py_ssize_t i = 0
        _count(self.statuses, status)
        while i < self._buckets - 1 and seconds > <double>self._bounds[i]:
            i += 1
        self._seconds[i] += 1
        self._seconds[self._buckets] += seconds


cdef int _count(dict counts, what) except -1:
    found = counts.get(what)
    counts[what] = 1 if found is None else <long>found + 1
    return 0


@cython.final
cdef class PlainRequests:
    """Requests of one endpoint that have a body of JSON and a caller who is known, as nearly all are.

    doors, scope: who may ask; limit: bytes of a body; identify(given): the request id; ahead(client time): by how many
    seconds that clock is fast, None where that was not said, alarm: from where on it is told so; head: headers of each
    answer, closing: further ones; operation, verdicts, accepted: what is counted of it.
    """
    cdef Doors _doors
    cdef object _scope, _identify, _ahead, _accepted
    cdef int64_t _limit, _alarm
    cdef list _head, _closing
    cdef Operation _operation
    cdef dict _verdicts

    def __init__(self, Doors doors not None, scope, *, int64_t limit, identify, ahead, int64_t alarm, list head not None,
                 list closing not None, Operation operation not None, dict verdicts not None, accepted):
        self._doors, self._scope, self._limit, self._identify = doors, scope, limit, identify
        self._ahead, self._alarm, self._head, self._closing = ahead, alarm, head, closing
        self._operation, self._verdicts, self._accepted = operation, verdicts, accepted

    def enter(self, header):
        """Let in, at its rate; None, and nothing was taken, for what is not plain. header(name): as granian.rsgi has it."""
        cdef PlainRequest one
        cdef Door door
        cdef double started = _monotonic()
        authorization = header("authorization")
        if header("content-type") != "application/json" or not self._fits(header("content-length")):
            return None
        said = header("x-client-time")
        fast = None if said is None else self._ahead(said)
        if fast is not None and not -self._alarm <= <int64_t>fast <= self._alarm:
            return None
        door = self._doors.enter(authorization, self._scope)
        if door is None:
            return None
        one = PlainRequest.__new__(PlainRequest)
        one.caller, one.client_time, one.fast, one.started, one._of = door.caller, said, fast, started, self
        one.request_id = self._identify(header("x-request-id"))
        return one

    cdef bint _fits(self, length) except -1:
        cdef int64_t size = 0
        cdef Py_ssize_t i
        cdef const uint8_t *digits
        if type(length) is not str or not PyUnicode_IS_ASCII(length) or PyUnicode_GET_LENGTH(length) > LONGEST_LENGTH:
            return False
        digits = <const uint8_t *>PyUnicode_DATA(length)
        for i in range(PyUnicode_GET_LENGTH(length)):
            size = 10 * size + digits[i] - 48  # the server let digits through and nothing else
        return size <= self._limit


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class PlainRequest:
    """One of them. started: by time.perf_counter; fast: by how many seconds the terminal's clock is, None: not said."""
    cdef readonly object caller, client_time, request_id, fast
    cdef readonly double started
    cdef PlainRequests _of

    def accept(self, proto, bytes answer not None):
        """Send it and count it."""
        of = self._of
        cdef list headers = [*of._head, ("x-request-id", self.request_id), *of._closing]
        _count(of._verdicts, of._accepted)
        proto.response_bytes(200, headers, answer)
        of._operation.request(200, _monotonic() - self.started)
