"""What could not be sent yet: a SQLite file that one process writes. What `put` returned is on the disk.

Bodies are people's data: each is sealed with SM4-GCM under a key made from the sender's own, its number beside it.
Marks are names that the sender must not forget when a row has gone, such as codes that serve once.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import hmac_sm3
from ehc.errors import FileError, Unavailable

NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 16

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    path TEXT NOT NULL,
    sealed BLOB NOT NULL,
    refused TEXT
);
CREATE TABLE IF NOT EXISTS marks (name BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_in_order ON waiting (number) WHERE refused IS NULL;
"""


class Waiting(NamedTuple):
    number: int
    at: int
    path: str
    body: bytes


class Counts(NamedTuple):
    waiting: int
    refused: int
    oldest: int | None  # second since which the first one waits


class Outbox:
    """secret: the sender's own. Raises FileError for a file that cannot be used, or is another sender's."""

    def __init__(self, file: Path, secret: bytes) -> None:
        self._key = hmac_sm3(secret, b"ehc proxy queue v1")[:KEY_BYTES]
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "locking_mode = EXCLUSIVE"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_SCHEMA)
            self._connection.execute("BEGIN IMMEDIATE").execute("COMMIT")  # nobody else has it
        except (OSError, sqlite3.Error) as error:
            raise FileError(f"queue {file}: {error} (another process may have it)") from error
        try:
            self.first()
        except FileError:
            self.close()
            raise

    def put(self, path: str, body: bytes, now: int, mark: tuple[bytes, int] | None = None) -> int:
        """Its number, once it is on the disk, with a mark and the second until which it holds. Raises Unavailable."""
        try:
            with self._lock, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                row = self._connection.execute("INSERT INTO waiting (at, path, sealed) VALUES (?, ?, '')", (now, path))
                number = int(row.lastrowid or 0)
                sealed = self._seal(number, body)
                self._connection.execute("UPDATE waiting SET sealed = ? WHERE number = ?", (sealed, number))
                if mark is not None:
                    self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", mark)
            return number
        except sqlite3.Error as error:
            raise Unavailable(f"the queue cannot be written: {error}") from error

    def first(self) -> Waiting | None:
        """The oldest that waits. Raises FileError when it was sealed by another sender."""
        return next(iter(self.some(1)), None)

    def some(self, most: int) -> list[Waiting]:
        """The oldest that wait. Raises FileError as `first`."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT number, at, path, sealed FROM waiting WHERE refused IS NULL ORDER BY number LIMIT ?", (most,)
            ).fetchall()
        return [Waiting(number, at, path, self._unseal(number, sealed)) for number, at, path, sealed in rows]

    def marks(self, now: int) -> set[bytes]:
        """Those that still hold; the others are forgotten."""
        with self._lock:
            self._connection.execute("DELETE FROM marks WHERE until < ?", (now,))
            return {name for (name,) in self._connection.execute("SELECT name FROM marks")}

    def done(self, number: int) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM waiting WHERE number = ?", (number,))

    def refuse(self, number: int, why: str) -> None:
        """It is not sent again; it stays to be looked at."""
        with self._lock:
            self._connection.execute("UPDATE waiting SET refused = ? WHERE number = ?", (why[:500], number))

    def counts(self) -> Counts:
        with self._lock:
            row = self._connection.execute(
                "SELECT count(*) FILTER (WHERE refused IS NULL), count(refused), min(at) FILTER (WHERE refused IS NULL)"
                " FROM waiting"
            ).fetchone()
        return Counts(*row)

    def close(self) -> None:
        self._connection.close()

    def _seal(self, number: int, body: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        cipher = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(str(number).encode())
        return nonce + cipher.update(body) + cipher.finalize() + cipher.tag

    def _unseal(self, number: int, sealed: bytes) -> bytes:
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        cipher = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, rest[-TAG_BYTES:])).decryptor()
        cipher.authenticate_additional_data(str(number).encode())
        try:
            return cipher.update(rest[:-TAG_BYTES]) + cipher.finalize()
        except InvalidTag:
            raise FileError("the queue was written with another key: start with that one, or another --queue") from None
