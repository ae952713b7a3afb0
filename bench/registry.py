"""Importing a registry's export of physical cards, end to end, with card ids derived, beside the usual code.

    python bench/registry.py                                                   # SQLite in a temporary folder
    python bench/registry.py --database postgresql://postgres@host/empty       # a database of one's own, empty
    python bench/registry.py --rows 1000000 --runs 3

Each run is `ehc registry import` of the same CSV as a process of its own, into a database that holds nothing, with an
electronic card for every holder. rows/s are those of its whole work, from reading the first line to the last commit
(what the command prints); `whole` has the start of the interpreter and the migration of the database in it. What is
kept is counted afterwards. Last the usual code in the same run: csv, gmssl and sqlite3, a look-up, three inserts and a
commit a row, on a sample.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from peers import gmssl_python
from register import SECURITY_KEY, _make_keyring, person
from sqlalchemy import text

from ehc.config import Settings
from ehc.store.database import open_engine

SAMPLE = 1_000  # rows of the usual code
TITLES = ("number", "chip", "issuer", "id_type", "id_number", "name", "state", "version")


def write(file: Path, rows: int) -> None:
    """In the order of the card numbers, as a registry exports them; holders are strangers to their neighbours."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(TITLES)
        table.writerows((f"44A{i:012}", f"{i:016X}", "440100", *person(i), "normal", 1) for i in range(rows))


def imported(settings: Settings, file: Path, rows: int) -> dict[str, float]:
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "ehc.cli", "registry", "import", file, "--force"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"EHC_HOME": settings.home, "EHC_DATABASE": settings.database_url()},
    )
    whole = time.perf_counter() - begin
    assert done.returncode == 0, done.stderr
    said = re.search(r"([\d.]+) s, ([\d,]+) rows/s", done.stderr)
    assert said is not None
    _check(settings, rows)
    return {"rows/s": int(said[2].replace(",", "")), "whole rows/s": round(rows / whole)}


def _check(settings: Settings, rows: int) -> None:
    engine = open_engine(settings.database_url())
    with engine.connect() as connection:
        held = "SELECT count(*) FROM physical_cards c JOIN accounts a ON a.account = c.account WHERE a.origin = 1"
        assert connection.scalar(text(held)) == rows
    engine.dispose()


def _emptied(settings: Settings) -> None:
    if not settings.database:
        for file in Path(settings.home).glob("ehc.db*"):
            file.unlink()
        return
    engine = open_engine(settings.database_url())
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def _usual(file: Path) -> float:
    """As most write it."""
    key = bytes.fromhex(SECURITY_KEY)
    with tempfile.TemporaryDirectory() as name, closing(sqlite3.connect(Path(name) / "usual.db")) as connection:
        connection.execute(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, number TEXT UNIQUE, name TEXT, card TEXT UNIQUE)"
        )
        connection.execute("CREATE TABLE cards (number TEXT PRIMARY KEY, chip TEXT, state TEXT, account INTEGER)")
        connection.execute("CREATE TABLE events (account INTEGER, what TEXT)")
        begin = time.perf_counter()
        with file.open(newline="", encoding="utf-8") as stream:
            for row in itertools.islice(csv.DictReader(stream), SAMPLE):
                [card] = gmssl_python.derive([(row["id_type"], row["id_number"], row["name"])], key)
                known = connection.execute("SELECT id FROM accounts WHERE number = ?", (row["id_number"],)).fetchone()
                assert known is None
                values = (row["id_number"], row["name"], card)
                account = connection.execute("INSERT INTO accounts VALUES (NULL, ?, ?, ?)", values).lastrowid
                values = (row["number"], row["chip"], row["state"], account)
                connection.execute("INSERT INTO cards VALUES (?, ?, ?, ?)", values)
                connection.execute("INSERT INTO events VALUES (?, 'imported')", (account,))
                connection.commit()
        return SAMPLE / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="one that may be emptied; else SQLite in a temporary folder")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings, file = Settings(home=name, database=options.database), Path(name) / "cards.csv"
        _make_keyring(settings)
        write(file, options.rows)
        runs: list[dict[str, Any]] = []
        for _ in range(options.runs):
            _emptied(settings)
            runs.append(imported(settings, file, options.rows))
            print(runs[-1], file=sys.stderr)
        usual = _usual(file)
    median = statistics.median(run["rows/s"] for run in runs)
    print(
        json.dumps(
            {"rows": options.rows, "runs": runs, "median rows/s": median, "usual rows/s": round(usual)}, indent=1
        )
    )
    print(f"{median / usual:,.0f} times the usual code")


if __name__ == "__main__":
    main()
