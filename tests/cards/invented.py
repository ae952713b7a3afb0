"""People who do not exist: no region begins with 99, and 测试 (test) is no family name."""

import random


def with_check(digits):
    """18 characters: 2^(17 - i) mod 11 weighs digit i, and the sum of all is 1 mod 11."""
    check = (1 - sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(digits))) % 11
    return digits + ("X" if check == 10 else str(check))


def resident_id(random):
    day = f"{random.randint(1900, 2030)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    return with_check(f"99{random.randint(0, 9999):04}{day}{random.randint(0, 999):03}")


def people(count, seed=0):
    """(id_type, id_number, name) in canonical form; every tenth has a passport, some have an interpunct."""
    source = random.Random(seed)
    for i in range(count):
        if i % 10 == 9:
            yield "03", f"E{source.randint(0, 10**8 - 1):08}", f"TEST PERSON {i}"
        else:
            given = "".join(chr(source.randint(0x4E00, 0x9FA5)) for _ in range(source.randint(1, 3)))
            yield "01", resident_id(source), f"测试{'·' if i % 7 == 3 else ''}{given}"
