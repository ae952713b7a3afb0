"""`ehc index …` over a real database: generated, loaded, matched, read by two, and what is wrong is said."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ehc.cli import index_desk
from ehc.cli.index import app
from ehc.errors import Conflict, FileError, InputError, NotFound
from ehc.index.lines import Line

SAMPLE = "11010020171225006X"


def index(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def write(file: Path, *lines: dict[str, object] | str) -> Path:
    file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines), "utf-8")
    return file


def record(local_id: str, hospital: str = "H1", **said: object) -> dict[str, object]:
    return {"source": f"visit-card/{hospital}", "local_id": local_id, "name": "周海"} | said


@pytest.mark.usefixtures("home")
def test_a_population_is_generated_loaded_and_matched(home: Path) -> None:
    file = home / "people.ndjson"
    assert "records of 1,000 persons, seed 3" in index("generate", "1000", "--seed", "3", "-o", str(file)).stdout
    assert isinstance(index("generate", "1", "-o", str(file)).exception, FileError)  # it is there already
    loaded = index("load", str(file), "--new-domains", "--processes", "0")
    assert re.search(r"[\d,]+ linked, [\d,]+ new", loaded.stdout), loaded.output
    again = index("load", str(file), "--processes", "0").stdout
    assert "new" not in again
    assert "unchanged" in again
    matched = index("match").stdout
    assert re.search(r"\d+ merged, \d+ for readers", matched)
    first = Line(**json.loads(file.read_text("utf-8").splitlines()[0]))
    shown = index("find", first.source, first.local_id).stdout
    assert first.source in shown
    assert first.local_id not in shown  # masked
    assert "is in use" in index("train").stdout


def test_what_is_no_record_is_put_aside_with_its_line_and_reason(home: Path) -> None:
    index("domain", "add", "visit-card/H1", "一院就诊卡", "H1")
    wrong = [record("2", sex="7"), "{", record("3", hospital="H?"), record("4", identifiers={"passport": "护照"})]
    file = write(home / "in.ndjson", record("1"), *wrong, record("5", colour="red"))
    done = index("load", str(file), "--new-domains", "--processes", "0")
    assert "1 new" in done.stdout
    rejects = (home / "in.ndjson.rejects.csv").read_text("utf-8").splitlines()
    assert [line.partition(",")[0] for line in rejects] == ["line", "2", "3", "4", "5", "6"]
    assert "sex" in rejects[1]
    assert "register it first" in rejects[3]
    assert "护照" not in "".join(rejects)


def test_what_is_no_record_registers_no_visit_card(home: Path) -> None:
    broken = '{"source": "visit-card/H2", "local_id": "1"'
    nested = record("2", identifiers={"source": "visit-card/H3"})
    last = {"local_id": "3", "source": "visit-card/H4", "name": "周海"}
    file = write(home / "in.ndjson", broken, record("1"), nested, last)
    assert "2 new" in index("load", str(file), "--new-domains", "--processes", "0").stdout
    with index_desk.desk(None, None) as at:
        cards = {one.code for one in at.index.finder.domains() if one.code.startswith("visit-card/")}
    assert cards == {"visit-card/H1", "visit-card/H4"}


def test_standard_input_is_no_file_that_is_called_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index("domain", "add", "visit-card/H1", "一院就诊卡", "H1")
    monkeypatch.chdir(home)
    write(home / "-", record("other"), record("lines"))
    said = json.dumps(record("1")) + "\n"
    loaded = CliRunner().invoke(app, ["load", "-", "--processes", "1", "--rejects", "r.csv"], input=said)
    assert "1 new" in loaded.stdout


@pytest.mark.usefixtures("home")
def test_merge_unmerge_find_and_a_moment_of_before(home: Path) -> None:
    index("domain", "add", "visit-card/H1", "一院就诊卡", "H1")
    index("load", str(write(home / "a.ndjson", record("1", name="王一"), record("2", name="李二"))), "--processes", "0")
    assert "both are person 1" in index("merge", "1", "2", "--reason", "a test").stdout
    assert "person 1: *二, 2 records" in index("find", "-", "2").stdout
    assert "person 2" in index("unmerge", "2", "--reason", "a test").stdout
    assert "person 2: *二, 1 records" in index("find", "-", "2").stdout
    assert isinstance(index("find", "-", "2", "--at", "5").exception, NotFound)
    assert isinstance(index("unmerge", "2", "--reason", "a test").exception, Conflict)
    assert isinstance(index("merge", "1", "2", "--reason", "x").exception, InputError)
    assert isinstance(index("find", "resident-id", SAMPLE).exception, NotFound)
    assert isinstance(index("find", "-", "one").exception, InputError)


@pytest.mark.usefixtures("home")
def test_two_readers_decide_a_task(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index("domain", "add", "visit-card/H1", "一院就诊卡", "H1")
    alike = {"phone": "13800000001", "birth_date": "1990-01-01"}
    file = write(home / "a.ndjson", record("1", **alike), record("2", **alike | {"birth_date": "1990-02-02"}))
    index("load", str(file), "--processes", "0")
    assert "1 for readers" in index("match").stdout
    assert "weights" in index("review", "list").stdout
    for reader, said in (("li.na", "1 of 2 votes"), ("wang.wei", "same, and it is done")):
        monkeypatch.setattr(index_desk.getpass, "getuser", lambda reader=reader: reader)
        assert f"yours (cli:{reader})" in index("review", "claim", "1").stdout
        assert said in index("review", "decide", "1", "same", "--reason", "both were here").stdout
    assert "2 records" in index("find", "visit-card/H1", "2").stdout
    assert "same" in index("review", "list", "--closed").stdout
    assert isinstance(index("review", "claim", "1").exception, Conflict)


def test_the_bench_judges_what_it_merged(home: Path) -> None:
    done = index("bench", "200", "--seed", "2", "--folder", str(home), "--keep", str(home / "figures.json"))
    assert done.exit_code == 0, done.output
    figures = json.loads((home / "figures.json").read_text("utf-8"))
    assert (figures["persons"], figures["wrong_pairs"]) == (200, 0)
    assert figures["recall"] > 0.9
    assert figures["pairs_completeness"] > 0.99


@pytest.mark.usefixtures("home")
def test_domains_are_listed_and_registered_once() -> None:
    assert "resident-id" in index("domain", "list").stdout
    added = index("domain", "add", "student-card", "学生证", "教育部", "--strong", "--system", "urn:oid:1.2.3")
    assert added.stdout.strip() == "student-card: urn:oid:1.2.3"
    assert isinstance(index("domain", "add", "student-card", "学生证", "教育部").exception, Conflict)
    assert isinstance(index("domain", "add", "学生证", "学生证", "教育部").exception, InputError)
    assert isinstance(index("load", "no-such-file").exception, FileError)


@pytest.mark.usefixtures("home")
def test_a_visit_card_is_bound_found_and_taken_off() -> None:
    document = ("--document", "passport=E00000091")
    bind = ("visit-card", "bind", "H1", "000123", "--name", "测试")
    assert isinstance(index(*bind, *document).exception, NotFound)  # no such domain yet
    index("domain", "add", "visit-card/H1", "一院就诊卡", "H1")
    index("domain", "add", "visit-card/H2", "二院就诊卡", "H2")
    assert index(*bind, *document, "--birth-date", "1990-01-01").stdout == "record 1 stands at person 1: new\n"
    other = index("visit-card", "bind", "H2", "9", "--name", "测试", *document, "--birth-date", "1990-01-01")
    assert other.stdout == "record 2 stands at person 1: linked\n"
    assert index("find", "passport", "E00000091").stdout.count("visit-card/") == 2
    unbind = ("visit-card", "unbind", "H2", "9", "--reason", "wrong window")
    assert index(*unbind).stdout == "record 2 stands at person 3 now, alone\n"
    assert "person 3: *试, 1 records" in index("find", "visit-card/H2", "9").stdout
    assert isinstance(index(*unbind).exception, Conflict)
    assert isinstance(index("visit-card", "unbind", "H2", "8", "--reason", "wrong window").exception, NotFound)
    assert isinstance(index(*bind, "--document", "passport").exception, InputError)
