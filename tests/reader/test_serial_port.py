"""A scanner on a serial line: a real pseudo-terminal, as a USB-CDC scanner is to the kernel."""

import os
import time
import tty

import pytest

from ehc.errors import ConfigError, Unavailable
from ehc.reader.repairs import Repair
from ehc.reader.serial_port import SerialPort
from ehc.reader.typed import Assembler

CODE = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"


@pytest.fixture
def line():
    """(the scanner's end, the computer's device)."""
    scanner, computer = os.openpty()
    tty.setraw(scanner)
    yield scanner, os.ttyname(computer)
    for end in (scanner, computer):
        os.close(end)


def codes(port, scanner, pieces, wanted):
    """What comes out while the scanner sends its pieces."""
    wedge, found, pieces = Assembler(join=0.3), [], iter(pieces)
    for raw in port:
        now = time.monotonic()
        found += wedge.feed(raw, now) + wedge.poll(now)
        if len(found) == wanted:
            return found
        if not raw and (piece := next(pieces, None)):
            os.write(scanner, piece)
    raise AssertionError("the line ended")


def test_codes_come_off_the_line_whole_or_in_pieces_with_or_without_suffix(line):
    scanner, device = line
    parity = bytes(b | 0x80 if b.bit_count() % 2 else b for b in CODE + b"\r")
    with SerialPort(device, 115200) as port:
        found = codes(port, scanner, [CODE + b"\r", CODE[:30], CODE[30:] + b"\n", parity, CODE], 4)
    assert [one.payload.encode() for one in found] == [CODE] * 4
    assert Repair.PARITY in found[2].repairs
    assert {Repair.JOINED}.issuperset(found[1].repairs)  # how long the pause was is the computer's affair


def test_no_byte_is_lost_to_line_editing(line):
    scanner, device = line
    every = bytes(byte for byte in range(256))
    with SerialPort(device) as port:
        os.write(scanner, every)
        came = b""
        for raw in port:
            came += raw
            if len(came) == len(every):
                break
    assert came == every


def test_a_scanner_that_is_unplugged_is_said(line):
    scanner, computer = os.openpty()
    with SerialPort(os.ttyname(computer)) as port:
        os.close(computer)
        os.close(scanner)
        with pytest.raises(Unavailable, match=r"stopped|unplugged"):
            for _ in port:
                pass


def test_what_is_no_line_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(CODE)
    with pytest.raises(Unavailable, match="no serial line"), SerialPort(tmp_path / "file"):
        pass
    with pytest.raises(Unavailable, match="ttyUSB"), SerialPort(tmp_path / "ttyUSB9"):
        pass
    with pytest.raises(ConfigError, match="9600"):
        SerialPort(tmp_path / "ttyUSB9", 9601)


def test_two_programs_on_one_scanner_are_refused(line):
    with SerialPort(line[1]), pytest.raises(Unavailable, match="another process"), SerialPort(line[1]):
        pass
