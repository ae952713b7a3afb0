"""Reed-Solomon over GF(256) as in QR symbols (ISO/IEC 18004, Annex A), slow and obvious: polynomial 0x11D, roots
2^0 .. 2^(parity - 1); decoding tries every set of places and solves the equations for it."""

from itertools import combinations


def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def power(a, n):
    return 1 if n == 0 else times(a, power(a, n - 1))


def over(a, b):
    return next(x for x in range(256) if times(x, b) == a)


def syndromes(word, parity):
    return [
        sum_of(times(value, power(power(2, i), len(word) - 1 - at)) for at, value in enumerate(word))
        for i in range(parity)
    ]


def sum_of(values):
    total = 0
    for value in values:
        total ^= value
    return total


def encode(data, parity):
    """The data and the parity codewords that make all syndromes 0."""
    word = [*data, *[0] * parity]
    return [*data, *solved(syndromes(word, parity), range(len(data), len(word)), len(word))]


def solved(syndrome, places, length):
    """What to add in these places so that the syndromes become 0; None when nothing does."""
    rows = [[power(power(2, i), length - 1 - at) for at in places] + [value] for i, value in enumerate(syndrome)]
    done = 0
    for column in range(len(rows[0]) - 1):
        pivot = next((row for row in rows[done:] if row[column]), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        rows.insert(done, [over(value, pivot[column]) for value in pivot])
        for row in rows:
            if row is not rows[done] and row[column]:
                factor = row[column]
                row[:] = [value ^ times(factor, by) for value, by in zip(row, rows[done], strict=True)]
        done += 1
    return None if any(row[-1] for row in rows[done:]) else [row[-1] for row in rows[:done]]


def decode(word, parity, erased, spare):
    """(codeword, errors outside the erased places) with the fewest errors that leave `spare` codewords unused."""
    syndrome = syndromes(word, parity)
    others = [at for at in range(len(word)) if at not in erased]
    for errors in range((parity - spare - len(erased)) // 2 + 1):
        for wrong in combinations(others, errors):
            places = [*erased, *wrong]
            change = solved(syndrome, places, len(word)) if places else (None if any(syndrome) else [])
            if change is not None:
                out = list(word)
                for at, value in zip(places, change, strict=True):
                    out[at] ^= value
                return bytes(out), errors
    return None
