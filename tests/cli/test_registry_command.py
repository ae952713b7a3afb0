"""`ehc registry import` and `show` as their user meets them: real files, a real keyring, a real database."""

import csv
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from physical import HEADER, card, lines, number, record
from services import settings_of

from ehc.cli.main import main
from ehc.registry.registry import Record
from ehc.store.database import migrate, open_engine


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("home"))
    migrate(open_engine(settings.database_url()))
    return settings.home_path()


@pytest.fixture
def ehc(keyring, tmp_path, monkeypatch, capfd):
    """ehc(*arguments, code=0) -> what the command said: standard error, or output where there is no error."""
    shutil.copy(keyring / "ehc.db", tmp_path / "a.db")
    monkeypatch.setenv("EHC_KEYRING", str(keyring / "keyring"))

    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["ehc", "registry", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        assert (end.value.code or 0, said) == (code, said)
        for i in range(20):
            assert card(i).id_number not in said.err + said.out
        return said.err or said.out

    return run


@pytest.fixture
def imported(ehc, tmp_path):
    database = f"sqlite:///{tmp_path / 'a.db'}"
    return lambda *arguments, **options: ehc("import", *arguments, "--database", database, **options)


def kept(database):
    """What is kept, without what no two runs have in common."""
    with sqlite3.connect(database) as connection:
        cards = connection.execute(
            "SELECT c.number, chip, issuer, c.id_type, c.id_number, c.name, c.state, version, source, a.id_number,"
            " a.origin FROM physical_cards c LEFT JOIN accounts a ON a.account = c.account ORDER BY c.number"
        ).fetchall()
        return cards, connection.execute("SELECT count(*) FROM accounts").fetchone()[0]


def rejects(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)]


MIXED = [
    record(0),
    record(1, id_number="1"),
    record(2, state="broken"),
    record(3, number=number(3).lower()),
    record(4, number=""),
    record(5, state="cancelled"),
    record(6, version="x"),
]
REFUSED = [("3", "id_number"), ("4", "state"), ("6", "number"), ("8", "version")]


def as_csv(path: Path, rows: list[Record]) -> Path:
    path.write_text(lines(rows), "utf-8")
    return path


def as_parquet(path: Path, rows: list[Record]) -> Path:
    columns = zip(*[[str(cell) for cell in row] for row in rows], strict=True)
    pq.write_table(pa.table(dict(zip(HEADER.strip().split(","), map(list, columns), strict=True))), path)
    return path


def as_ndjson(path: Path, rows: list[Record]) -> Path:
    path.write_text("".join(json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("suffix", "write", "first"), [("csv", as_csv, 2), ("parquet", as_parquet, 1), ("ndjson", as_ndjson, 1)]
)
def test_every_format_comes_to_the_same_and_bad_rows_are_named(tmp_path, imported, suffix, write, first):
    file = write(tmp_path / f"cards.{suffix}", MIXED)
    said = imported(file)
    assert "7 rows, 4 refused" in said
    assert "3 physical cards new" in said
    assert "2 electronic cards made" in said
    found = rejects(tmp_path / f"cards.{suffix}.rejects.csv")
    assert found[0] == ("line", "column", "reason")
    shift = first - 2
    wanted = [(str(int(line) + shift), column) for line, column in REFUSED]
    if suffix == "ndjson":
        wanted[-1] = (wanted[-1][0], "")  # the line as a whole: it says which member
    assert [row[:2] for row in found[1:]] == wanted
    cards, accounts = kept(tmp_path / "a.db")
    assert [row[0] for row in cards] == [number(0), number(3), number(5)]
    assert ([row[9:] for row in cards], accounts) == (
        [(card(0).id_number, 1), (card(3).id_number, 1), (None, None)],
        2,
    )


def test_the_same_file_again_changes_nothing(tmp_path, imported):
    file = as_csv(tmp_path / "cards.csv", [record(i) for i in range(20)])
    imported(file)
    before = kept(tmp_path / "a.db")
    said = imported(file)
    assert "0 physical cards new, 0 changed, 20 the same, 0 older than ours; 0 electronic cards made" in said
    assert kept(tmp_path / "a.db") == before
    assert sorted(path.suffix for path in tmp_path.iterdir() if "cards" in path.name) == [".csv"]


def test_chinese_titles_gbk_and_what_stands_for_all_rows(tmp_path, imported):
    text = f"卡号,证件类型,证件号码,姓名,卡状态\nb1,{','.join(card(0)[3:6])},挂失\n"
    (tmp_path / "cards.csv").write_bytes(text.encode("gbk"))
    options = ("--encoding", "gbk", "--issuer", "440100", "--version", "20261129", "--source", "GD")
    said = imported(tmp_path / "cards.csv", *options)
    assert "1 physical cards new" in said
    assert kept(tmp_path / "a.db")[0] == [("B1", "", "440100", *card(0)[3:6], 2, 20261129, "GD", card(0).id_number, 1)]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("number,id_type,id_number,name,issuer,version\n", (), "no column state (状态)"),
        ("id_type,id_number,name,state,issuer,version\n", (), "no column number (卡号)"),
        ("number,id_type,id_number,name,state,version\n", (), "no column issuer (发卡机构): or say --issuer CODE"),
        ("number,id_type,id_number,name,state\n", ("--issuer", "1"), "no column version (版本): or say --version N"),
        ("number,state\n", (), "no column id_type (证件类型)"),
        ("number,id_type,id_number,name,state,version\n", ("--issuer", "a~b"), "issuer: 1 to 64 letters"),
        ("", (), "is empty"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_missing(tmp_path, imported, text, options, says):
    (tmp_path / "cards.csv").write_text(text)
    assert says in imported(tmp_path / "cards.csv", *options, code=3)


def test_other_trouble_says_what_to_do(tmp_path, imported):
    file = as_csv(tmp_path / "cards.csv", MIXED)
    assert "suffix tells" in imported(tmp_path / "cards.xls", code=3)
    assert "No such file" in imported(tmp_path / "none.csv", code=3)
    assert "4 rows are in" in imported(file, "--strict", code=3)
    assert "--force replaces it" in imported(file, code=7)
    imported(file, "--force")


def test_a_card_is_shown_with_its_history_and_its_holder_masked(tmp_path, ehc, imported):
    database = f"sqlite:///{tmp_path / 'a.db'}"
    imported(as_csv(tmp_path / "a.csv", [record(1)]))
    imported(as_csv(tmp_path / "b.csv", [record(1, version=2, state="lost")]))
    shown = ehc("show", number(1).lower(), "--database", database)
    assert "lost (挂失)" in shown
    assert "imported  normal -> lost  ehc registry import" in shown
    assert card(1).name not in shown
    assert "no physical card has this number here" in ehc("show", "999", "--database", database, code=7)
