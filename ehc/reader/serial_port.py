"""Scanners on a serial line (RS-232, USB-CDC): bytes with their times. POSIX, the standard library alone."""

from __future__ import annotations

import fcntl
import os
import select
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

from ehc.errors import ConfigError, Unavailable

SPEEDS = {speed: getattr(termios, f"B{speed}") for speed in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}
TICK = 0.1
"""Seconds after which a silent line says b"": whoever assembles codes looks at the clock then."""
_MOST = 4096


class SerialPort:
    """`with SerialPort("/dev/ttyUSB0") as line: for raw in line: …`, for ever; b"" when nothing came for a moment.

    The line is read as 8 bits without parity: an Assembler takes parity bits away. Raises Unavailable that says what to
    plug in or to permit.
    """

    def __init__(self, device: str | Path, speed: int = 9600) -> None:
        if speed not in SPEEDS:
            raise ConfigError(
                f"{device}: a serial line has one of the speeds {', '.join(map(str, SPEEDS))}, not {speed}"
            )
        self.device, self._speed, self._file = str(device), speed, -1

    def __enter__(self) -> SerialPort:
        try:
            self._file = os.open(self.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            self._make_raw()
        except FileNotFoundError as error:
            raise Unavailable(
                f"{self.device}: there is no such line; scanners are /dev/ttyUSB* or /dev/ttyACM*"
            ) from error
        except BlockingIOError as error:
            self.__exit__()
            raise Unavailable(f"{self.device}: another process has this scanner") from error
        except OSError as error:
            raise Unavailable(f"{self.device}: the line cannot be opened: {error.strerror}") from error
        except termios.error as error:
            self.__exit__()
            raise Unavailable(f"{self.device}: this is no serial line") from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            ready, _, _ = select.select([self._file], [], [], TICK)
            yield self._read() if ready else b""

    def _read(self) -> bytes:
        try:
            raw = os.read(self._file, _MOST)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Unavailable(f"{self.device}: the line stopped: {error.strerror}") from error
        if not raw:  # a line that hung up
            raise Unavailable(f"{self.device}: the scanner was unplugged")
        return raw

    def _make_raw(self) -> None:
        """Ours alone, and every byte as it comes. Raises termios.error for what is no line."""
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tty.setraw(self._file)
        settings = termios.tcgetattr(self._file)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[4] = settings[5] = SPEEDS[self._speed]
        termios.tcsetattr(self._file, termios.TCSANOW, settings)
