"""A file of people -> a file of cards, as whole processes from start to exit: `ehc derive`, and the usual script.

The script gets a sample of 3,000 rows, because a million would take it a quarter of an hour; its rate is that of the
sample, start of the interpreter included (some 2 % of its time).
"""

from __future__ import annotations

import csv
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from contender import Contender
from peers import openssl_well, script
from people import SECURITY_KEY, people, write_csv

from ehc.crypto import derive_batch

SAMPLE = 3_000


def ehc(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ehc.cli", *arguments], check=True)


class Files:
    """Files of people, made once each, and a keyring with the published sample key."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keyring, self.cards = folder, folder / "keyring", folder / "cards.csv"
        key = folder / "key.hex"
        key.write_text(SECURITY_KEY.hex())
        ehc("keys", "init", "--empty", "--keyring", self.keyring)
        ehc("keys", "import", "--purpose", "security_key", "--key-file", key, "--keyring", self.keyring)

    def people(self, rows: range) -> Path:
        """The file of that many people; the cards of the run before are gone."""
        file = self.folder / f"{len(rows)}.csv"
        if not file.exists():
            write_csv(file, len(rows))
        for left in self.folder.glob("cards.csv*"):
            left.unlink()
        return file

    def by_ehc(self, file: Path) -> None:
        ehc("derive", file, "-o", self.cards, "--keyring", self.keyring)

    def by_script(self, file: Path) -> None:
        subprocess.run([sys.executable, script.__file__, file, self.cards], check=True)

    def card_ids(self, _: None) -> list[str]:
        with self.cards.open(encoding="utf-8", newline="") as file:
            return [row["card_id"] for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Files:
    return Files(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def expected(request) -> list[str]:
    """Card ids of every row; the first by OpenSSL as well."""
    count = request.config.option.people
    ids = derive_batch(people(count), SECURITY_KEY).hex().card_id
    sample = list(itertools.islice(people(count), SAMPLE))
    assert ids[: len(sample)] == openssl_well.derive(sample, SECURITY_KEY)
    return ids


@pytest.mark.parametrize("name", ["ehc derive", "script with gmssl"])
def test_file(measure, name, files, expected):
    ours = name == "ehc derive"
    contender = Contender(
        name,
        len(expected) if ours else SAMPLE,
        prepare=files.people,
        run=files.by_ehc if ours else files.by_script,
        answer=files.card_ids,
    )
    answer = measure("derive a file", "rows", contender, range(len(expected)), rounds=1)
    assert answer == expected[: contender.share]
