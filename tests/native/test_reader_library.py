"""libehcreader.so as a vendor meets it: the header, the example, every function right and wrong, beside our answers."""

import ctypes
import os
import random
import re
import subprocess
import sys
from ctypes import byref, c_char_p, c_int32, c_int64, c_size_t, c_uint8, c_uint32, c_void_p
from pathlib import Path

import numpy as np
import pytest
from kernels import NATIVE, STRICT, run

import ehc
from ehc._frame import FramePipeline
from ehc.crypto import parse_payload
from ehc.errors import PayloadError
from ehc.reader.payloads import SENTENCES, read_payload

sys.path.insert(0, str(Path(__file__).parents[1] / "reader"))
from signed_lists import ISSUER, PUBLIC, code

LIBRARY = Path(os.environ.get("EHC_READER_UNDER_TEST", Path(ehc.__file__).parent / "libehcreader.so"))
HEADER = (NATIVE / "include/ehc_reader.h").read_text("utf-8")
FUNCTIONS = set(re.findall(r"\b(ehc_reader_\w+)\(", HEADER))
CODES = {name: int(value) for name, value in re.findall(r"(EHC_READER_\w+) = (\d+)\b", HEADER)}
NOW = 1_767_225_600
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
TOKEN = "92FD69141DFE1553A42251E2B0196148"
COMPACT = "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"


class Payload(ctypes.Structure):
    _fields_ = (
        ("what", c_int32),
        ("form", c_int32),
        ("card_id", ctypes.c_char * 65),
        ("token", ctypes.c_char * 33),
        ("organisation", ctypes.c_char * 65),
        ("prefix", ctypes.c_char * 9),
        ("error_offset", c_uint32),
        ("issuer", c_uint32),
        ("key_version", c_uint8),
        ("issued_at", c_int64),
        ("expires_at", c_int64),
    )


class Verdict(ctypes.Structure):
    _fields_ = (
        ("step", c_int32),
        ("serial", c_uint8 * 10),
        ("alias", c_uint8 * 16),
        ("issued_at", c_int64),
        ("expires_at", c_int64),
    )


@pytest.fixture(scope="module")
def library():
    loaded = ctypes.CDLL(str(LIBRARY))
    for name in ("ehc_reader_status_name", "ehc_reader_sentence"):
        getattr(loaded, name).restype = c_char_p
    loaded.ehc_reader_plane_new.restype = c_void_p
    loaded.ehc_reader_plane_pixels.restype = c_void_p
    return loaded


@pytest.fixture
def reader(library):
    handle = c_void_p()
    assert library.ehc_reader_open(0x10000, byref(handle)) == 0
    assert library.ehc_reader_trust(handle, ISSUER, 1, PUBLIC) == 0
    yield handle
    library.ehc_reader_close(handle)


def parsed(library, text):
    raw, out = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, Payload()
    return library.ehc_reader_parse(raw, c_size_t(len(raw)), byref(out)), out


def checked(library, reader, text, now=NOW, tolerance=60):
    out = Verdict()
    status = library.ehc_reader_check(
        reader, text.encode(), c_size_t(len(text)), c_int64(now), c_int64(tolerance), byref(out)
    )
    return library.ehc_reader_status_name(status).decode().removeprefix("EHC_READER_"), out


def test_it_shows_the_functions_of_the_header_and_nothing_else():
    shown = run("nm", "-D", "--defined-only", LIBRARY)
    assert {line.split()[-1] for line in shown.splitlines()} == FUNCTIONS
    assert len(FUNCTIONS) == 20
    assert "libstdc++" not in run("readelf", "-d", LIBRARY)


def test_the_header_stands_alone_and_the_sources_have_no_warning(tmp_path):
    for compiler, name in (("gcc", "alone.c"), ("g++", "alone.cpp")):
        (tmp_path / name).write_text('#include "ehc_reader.h"\nint size = sizeof(ehc_reader_verdict);\n')
        run(
            compiler,
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            f"-I{NATIVE / 'include'}",
            "-fsyntax-only",
            tmp_path / name,
        )
    places = [f"-I{NATIVE / room}" for room in ("include", "base", "sm2", "frame", "reader")]
    for source in sorted((NATIVE / "reader").glob("*.c")):
        run("gcc", *STRICT, "-O2", "-D_GNU_SOURCE", *places, "-c", source, "-o", tmp_path / "object.o")
    warnings = [flag for flag in STRICT if flag.startswith("-W")]
    run(
        "g++", "-std=c++17", *warnings, "-O2", *places, "-c", NATIVE / "reader/reader_frame.cpp", "-o", tmp_path / "o.o"
    )


def test_the_example_of_a_terminal_compiles_and_says_what_each_code_is(tmp_path):
    program = tmp_path / "reader_terminal"
    here = ["-L", LIBRARY.parent, f"-Wl,-rpath,{LIBRARY.parent}", "-lehcreader"]
    run("gcc", *STRICT, "-O2", f"-I{NATIVE / 'include'}", NATIVE / "tests/reader_terminal.c", *here, "-o", program)
    texts = [f"{CARD}:0:{TOKEN}", f"85:{CARD}:1::A-1\r", "134567890123456789", COMPACT, code(NOW), code(NOW)[:-1] + "!"]
    words = [str(program), str(ISSUER), "1", PUBLIC.hex(), str(NOW)]
    done = subprocess.run(words, input="\n".join(texts), capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[0].removeprefix("EHC_READER_") for line in lines] == [
        "OK",
        "OK",
        "FOREIGN",
        "OK",
        "OK",
        "CHARACTER",
    ]
    after = [re.search(r"-> EHC_READER_(\w+) step=(\d)", line).groups() for line in lines]
    expected = [
        ("SERVICE", "0"),
        ("NO_TOKEN", "4"),
        ("FOREIGN", "2"),
        ("SERVICE", "0"),
        ("OK", "0"),
        ("CHARACTER", "1"),
    ]
    assert after == expected
    assert f"card={CARD} token= organisation=A-1 prefix=85" in lines[1]
    assert "微信付款码" in lines[2]
    assert subprocess.run([str(program)], check=False, capture_output=True).returncode == 2
    bad = subprocess.run([*words[:3], "00" * 64, str(NOW)], check=False, capture_output=True, text=True)
    assert (bad.returncode, bad.stderr) == (1, "reader_terminal: EHC_READER_E_KEY\n")


def test_every_status_has_its_name(library):
    assert len(CODES) > 20
    for number in range(-1, 80):
        name = library.ehc_reader_status_name(number).decode()
        assert name == "EHC_READER_?" or CODES[name] == number
    for name, code_ in CODES.items():
        if re.fullmatch(r"EHC_READER_(E_\w+|OK|LENGTH|CHARACTER|FOREIGN|GRAMMAR|NO_TOKEN|FORGED|EXPIRED|EARLY)", name):
            assert library.ehc_reader_status_name(code_).decode() == name


def test_sentences_are_those_of_the_python_reader(library):
    words = ["health_card", "empty", "url", "wechat_pay", "alipay", "unionpay", "insurance", "resident_id", "other"]
    for number, what in enumerate(words):
        for language, wanted in enumerate(SENTENCES[what]):
            assert library.ehc_reader_sentence(number, language).decode() == wanted
    assert [library.ehc_reader_sentence(*wrong) for wrong in ((-1, 0), (9, 0), (0, 2))] == [b"", b"", b""]


def test_payloads_are_taken_apart_as_in_python(library):
    dice = random.Random(5)
    texts = [
        f"{CARD}:0:{TOKEN}",
        f"{CARD.lower()}:1",
        f"{CARD}:1::ORG",
        f"85:{CARD}:9",
        CARD,
        "",
        "x",
        COMPACT,
        code(NOW),
    ]
    for _ in range(3000):
        text = list(dice.choice(texts) or ":")
        text[dice.randrange(len(text))] = dice.choice("0aF:\r\0é9Z")
        texts.append("".join(text))
    for text in texts:
        status, out = parsed(library, text)
        health = read_payload(text)
        assert (status == 0) == (health.what == "health_card"), text
        if text[:5] in ("EHC2:", "EHC3:"):
            continue
        try:
            wanted = parse_payload(text)
        except PayloadError as error:
            assert out.error_offset == error.offset  # noqa: PT017
            continue
        given = [field.decode() or None for field in (out.card_id, out.token, out.organisation, out.prefix)]
        assert given == [wanted.card_id, wanted.token, wanted.organisation, wanted.prefix]


def test_a_code_of_ours_says_whose_it_is_and_until_when(library):
    for text, form in ((code(NOW), 5), (COMPACT, 4)):
        status, out = parsed(library, text + "\r\n")
        assert (status, out.form, out.issuer, out.key_version, out.issued_at) == (0, form, ISSUER, 1, NOW)
        assert out.expires_at in (NOW + 300, NOW + 120)


def test_signed_codes_go_through_the_steps(library, reader):
    good = code(NOW)
    word, out = checked(library, reader, good)
    assert (word, out.step, out.expires_at) == ("OK", 0, NOW + 300)
    assert checked(library, reader, good, NOW + 361)[0] == "EXPIRED"
    assert checked(library, reader, good, NOW - 61)[0] == "EARLY"
    assert checked(library, reader, good, NOW - 60)[0] == "OK"
    assert checked(library, reader, good[:-1])[0] == "LENGTH"
    for i in (20, 60, 100, 147):
        other = good[:i] + ("1" if good[i] != "1" else "2") + good[i + 1 :]
        word, changed = checked(library, reader, other)
        assert word in ("FORGED", "KEY_VERSION", "GRAMMAR")
        assert bytes(changed.serial) == bytes(10)
    assert checked(library, reader, code(NOW, ttl=7), NOW + 10**9)[0] == "OK"
    library.ehc_reader_revoke(reader, out.serial)
    assert checked(library, reader, good)[0] == "REVOKED"
    later = code(NOW + 10, serial=9)
    assert checked(library, reader, later)[0] == "OK"
    library.ehc_reader_revoke_alias(reader, out.alias, c_int64(NOW + 10))
    assert checked(library, reader, later)[0] == "OK"  # issued at that second
    assert checked(library, reader, code(NOW + 9, serial=8))[0] == "REVOKED"


def test_a_stranger_is_not_trusted_and_a_revoked_code_is_found_among_many(library, reader):
    handle = c_void_p()
    assert library.ehc_reader_open(0x10000, byref(handle)) == 0
    assert checked(library, handle, code(NOW))[0] == "KEY_VERSION"
    library.ehc_reader_close(handle)
    names = [random.Random(i).randbytes(10) for i in range(2000)]
    assert all(library.ehc_reader_revoke(reader, name) == 0 for name in names)
    word, out = checked(library, reader, code(NOW, serial=77))
    assert word == "OK"
    library.ehc_reader_revoke(reader, out.serial)
    assert checked(library, reader, code(NOW, serial=77))[0] == "REVOKED"


def test_wrong_arguments_get_a_status(library, reader):
    out, wrong = Payload(), CODES["EHC_READER_E_ARGUMENT"]
    handle = c_void_p()
    assert library.ehc_reader_open(0x20000, byref(handle)) == CODES["EHC_READER_E_VERSION"]
    assert library.ehc_reader_open(0x10001, byref(handle)) == CODES["EHC_READER_E_VERSION"]
    assert library.ehc_reader_open(0x10000, None) == wrong
    assert library.ehc_reader_parse(None, c_size_t(0), byref(out)) == wrong
    assert library.ehc_reader_parse(b"x", c_size_t(1), None) == wrong
    assert library.ehc_reader_trust(reader, ISSUER, 1, PUBLIC) == wrong  # of that version there is one
    assert library.ehc_reader_trust(reader, 1_000_000, 1, PUBLIC) == wrong
    assert library.ehc_reader_trust(reader, 1, 1, bytes(64)) == CODES["EHC_READER_E_KEY"]
    full = [library.ehc_reader_trust(reader, 1, version, PUBLIC) for version in range(64)]
    assert full == [0] * 63 + [CODES["EHC_READER_E_FULL"]]
    for tolerance in (-1, 86_401):
        assert checked(library, reader, code(NOW), tolerance=tolerance)[0] == "E_ARGUMENT"
    library.ehc_reader_close(None)
    library.ehc_reader_plane_free(None)


def test_frames_are_prepared_as_the_python_pipeline_does(library):
    pipeline, dice = FramePipeline(), np.random.default_rng(3)
    yuyv = dice.integers(0, 256, (46, 2 * 64), np.uint8)
    planes = [c_void_p(library.ehc_reader_plane_new()) for _ in range(2)]
    first, second = planes
    assert pixels_of(library, first) is None
    assert library.ehc_reader_luma(first, yuyv.ctypes.data_as(c_void_p), c_size_t(yuyv.size), 2, 64, 46, 0) == 0
    grey = pipeline.luma(yuyv.tobytes(), "YUYV", 0, None, 64, 46, 0)
    assert np.array_equal(pixels_of(library, first), grey)
    for name in ("half", "twice", "smooth", "dilate"):
        assert getattr(library, f"ehc_reader_{name}")(second, first) == 0
        assert np.array_equal(pixels_of(library, second), getattr(pipeline, name)(grey))
    assert library.ehc_reader_sharpen(second, first, 4) == 0
    assert np.array_equal(pixels_of(library, second), pipeline.sharpen(grey, 4))
    assert library.ehc_reader_binarise(second, first, 15, 2) == 0
    assert np.array_equal(pixels_of(library, second), pipeline.binarise(grey, 15, 2))
    wrong = CODES["EHC_READER_E_ARGUMENT"]
    assert library.ehc_reader_half(first, first) == wrong
    assert [library.ehc_reader_sharpen(second, first, amount) for amount in (0, 9)] == [wrong] * 2
    assert [library.ehc_reader_binarise(second, first, window, 0) for window in (1, 4, 257)] == [wrong] * 3
    short = library.ehc_reader_luma(first, yuyv.ctypes.data_as(c_void_p), c_size_t(yuyv.size - 1), 2, 64, 46, 0)
    assert short == CODES["EHC_READER_E_FRAME"]
    for plane in planes:
        library.ehc_reader_plane_free(plane)


def pixels_of(library, plane):
    width, height = c_uint32(), c_uint32()
    at = library.ehc_reader_plane_pixels(plane, byref(width), byref(height))
    if at is None:
        return None
    return np.ctypeslib.as_array((c_uint8 * (width.value * height.value)).from_address(at)).reshape(
        height.value, width.value
    )
