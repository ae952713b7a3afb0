"""`ehc derive` as an operator runs it: real processes, real files, a real keyring."""

import io
import os
import pty
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cards.invented import people
from derive_runs import (
    EACH_BLOCK,
    HEADER,
    SAMPLE,
    SAMPLE_CARD,
    SAMPLE_MINDEX,
    card_of,
    derive,
    home_with_keys,
    names,
    run,
    table,
    write,
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return home_with_keys(tmp_path_factory.mktemp("home"))


# --- what comes out ----------------------------------------------------------------------------------------------


def test_csv_gets_the_cards_of_the_reference_in_order_with_line_numbers(tmp_path, environment):
    rows = [SAMPLE, *people(30)]
    done = derive(environment, write(tmp_path / "people.csv", rows), "-o", tmp_path / "cards.csv")
    expected = [(str(line), *card_of(row)) for line, row in enumerate(rows, 2)]
    assert [tuple(row.values()) for row in table(tmp_path / "cards.csv")] == expected
    assert expected[0][1:] == (SAMPLE_MINDEX, SAMPLE_CARD)
    assert names(tmp_path) == ["cards.csv", "people.csv"]
    assert (tmp_path / "cards.csv").stat().st_mode & 0o777 == 0o600
    assert "31 rows: 31 cards, 0 refused" in done.stderr.decode()
    assert "security key version 1, check value" in done.stderr.decode()


def test_kept_columns_are_quoted_where_needed_and_mindex_can_be_left_out(tmp_path, environment):
    source = tmp_path / "people.csv"
    source.write_text(
        '姓名,病区,证件号码,证件类型,unused,"bed, no"\n'
        f'{SAMPLE[2]},"内科, ""东""",{SAMPLE[1]},{SAMPLE[0]},x,7\n{SAMPLE[2]},,{SAMPLE[1]},{SAMPLE[0]},x,8\n',
        encoding="utf-8",
    )
    derive(environment, source, "-o", tmp_path / "cards.csv", "--keep", "病区", "--no-mindex")
    assert (tmp_path / "cards.csv").read_text("utf-8") == (
        f'line,病区,card_id\n2,"内科, ""东""",{SAMPLE_CARD}\n3,,{SAMPLE_CARD}\n'
    )


def test_parquet_in_and_out_keeps_types_and_counts_rows_from_1(tmp_path, environment):
    rows = [SAMPLE, ("01", "1", "测试"), *people(8)]
    columns = dict(zip(("id_type", "id_number", "name"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns | {"age": range(10)}), tmp_path / "people.parquet")
    derive(
        environment, tmp_path / "people.parquet", "-o", tmp_path / "cards.parquet", "--keep", "age", "--strict", code=3
    )
    found = pq.read_table(tmp_path / "cards.parquet")
    assert found.schema.names == ["line", "age", "mindex", "card_id"]
    assert found.schema.field("age").type == pa.int64()
    good = [(i, row) for i, row in enumerate(rows) if i != 1]
    assert [tuple(row.values()) for row in found.to_pylist()] == [(i + 1, i, *card_of(row)) for i, row in good]
    assert [row["line"] for row in table(tmp_path / "cards.parquet.rejects.csv")] == ["2"]
    assert names(tmp_path) == ["cards.parquet", "cards.parquet.rejects.csv", "people.parquet"]


def test_standard_streams_csv(environment):
    stdin = (HEADER + ",".join(SAMPLE) + "\n01,1,测试\n").encode()
    done = derive(environment, "-", "-o", "-", stdin=stdin)
    assert done.stdout.decode() == f"line,mindex,card_id\n2,{SAMPLE_MINDEX},{SAMPLE_CARD}\n"
    assert "line 3, id_number: a resident id has 18 characters" in done.stderr.decode()


def test_standard_streams_parquet(environment):
    source = io.BytesIO()
    pq.write_table(pa.table({"id_type": ["01"], "id_number": [SAMPLE[1]], "name": [SAMPLE[2]]}), source)
    done = derive(environment, "-", "-o", "-", "--format", "parquet", stdin=source.getvalue())
    assert pq.read_table(pa.BufferReader(done.stdout)).to_pylist() == [
        {"line": 1, "mindex": SAMPLE_MINDEX, "card_id": SAMPLE_CARD}
    ]


def test_minimal_padding_is_a_setting(tmp_path, environment):
    write(tmp_path / "people.csv", [("03", "E00000000", "TEST PERSON"), SAMPLE])
    derive(
        environment | {"EHC_PADDING": "minimal"}, tmp_path / "people.csv", "-o", tmp_path / "cards.csv", "--no-mindex"
    )
    assert [row["card_id"] for row in table(tmp_path / "cards.csv")] == [
        "837C825FE117BE7F9031F42030F7AD7F",
        SAMPLE_CARD,
    ]


def test_gb18030_people_get_the_same_cards(tmp_path, environment):
    source = write(tmp_path / "people.csv", [SAMPLE], "证件类型,证件号码,姓名\n", encoding="gb18030")
    done = derive(environment, source, "-o", tmp_path / "cards.csv", code=3)
    assert "try --encoding gb18030" in done.stderr.decode()
    assert names(tmp_path) == ["people.csv"]
    derive(environment, source, "-o", tmp_path / "cards.csv", "--encoding", "gb18030")
    assert [row["card_id"] for row in table(tmp_path / "cards.csv")] == [SAMPLE_CARD]


def test_a_header_alone_gives_a_header_alone(tmp_path, environment):
    source = write(tmp_path / "people.csv", [])
    derive(environment, source, "-o", tmp_path / "cards.csv")
    derive(environment, source, "-o", tmp_path / "cards.parquet")
    assert (tmp_path / "cards.csv").read_text() == "line,mindex,card_id\n"
    assert pq.read_table(tmp_path / "cards.parquet").num_rows == 0


# --- bad rows and bad files --------------------------------------------------------------------------------------

BAD_LINES = [
    (b"01,110100201712250067,\xe6\xb5\x8b", "id_number", "wrong check character"),
    (b"99,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,TEST", "id_number", "33 bytes, over 32; it is never cut"),
    (b"03,E1,\xe6\xb5\x8b\xee\x80\x80", "name", "U+E000 at character 2 is a private-use character"),
    (b"03,E\x001,TEST", "id_number", "U+0000 at character 2"),
    (b"03,E1,TE\x00ST", "name", "U+0000 at character 3 is a control character"),
    (b"03,E1,\xb2\xe2\xca\xd4", "name", "byte 1 of the field (0xB2) is not UTF-8; is the text GBK or GB18030?"),
    (b"03,E1", "", "2 fields where the header has 3"),
    (b'03,E1,"TEST', "", "quotes are not balanced"),
    (b"03,E1," + b"T" * 10_000_000, "", "over 65,536 bytes long"),
]


def test_every_bad_line_is_named_and_every_good_one_between_them_is_done(tmp_path, environment):
    good = ",".join(SAMPLE).encode()
    lines = [HEADER.strip().encode()] + [line for bad, _, _ in BAD_LINES for line in (good, bad)] + [good]
    (tmp_path / "people.csv").write_bytes(b"\n".join(lines) + b"\n")
    done = derive(environment, "people.csv", "-o", "cards.csv", "--strict", code=3, cwd=tmp_path)
    assert [int(row["line"]) for row in table(tmp_path / "cards.csv")] == list(range(2, 2 * len(BAD_LINES) + 3, 2))
    assert {row["card_id"] for row in table(tmp_path / "cards.csv")} == {SAMPLE_CARD}
    rejects = table(tmp_path / "cards.csv.rejects.csv")
    assert [int(row["line"]) for row in rejects] == list(range(3, 2 * len(BAD_LINES) + 2, 2))
    for row, (_, column, reason) in zip(rejects, BAD_LINES, strict=True):
        assert row["column"] == column
        assert reason in row["reason"]
    assert f"{len(BAD_LINES)} rows were refused: see cards.csv.rejects.csv" in done.stderr.decode()


def test_bad_rows_alone_do_not_fail_the_command(tmp_path, environment):
    source = write(tmp_path / "people.csv", [("01", "1", "测试"), SAMPLE])
    derive(environment, source, "-o", tmp_path / "cards.csv", "--rejects", tmp_path / "bad.csv")
    assert names(tmp_path) == ["bad.csv", "cards.csv", "people.csv"]
    write(source, [SAMPLE])
    derive(environment, source, "-o", tmp_path / "cards.csv", "--rejects", tmp_path / "bad.csv", "--force")
    assert names(tmp_path) == ["cards.csv", "people.csv"]  # no refusals, so none of an earlier run are left lying


@pytest.mark.parametrize("content", [b"", b"id_type,name\n01,a\n"])
def test_a_file_that_cannot_be_used_leaves_nothing_behind(tmp_path, environment, content):
    (tmp_path / "people.csv").write_bytes(content)
    done = derive(environment, tmp_path / "people.csv", "-o", tmp_path / "cards.csv", code=3)
    assert done.stderr.decode().startswith(f"ehc: {tmp_path / 'people.csv'}")
    assert "Traceback" not in done.stderr.decode()
    assert names(tmp_path) == ["people.csv"]


def test_nothing_is_replaced_unasked_and_the_people_never(tmp_path, environment):
    source = write(tmp_path / "people.csv", [SAMPLE])
    (tmp_path / "cards.csv").write_text("precious")
    done = derive(environment, source, "-o", tmp_path / "cards.csv", code=7)
    assert "cards.csv exists: --force replaces it" in done.stderr.decode()
    assert (tmp_path / "cards.csv").read_text() == "precious"
    derive(environment, source, "-o", source, "--force", code=2)
    (tmp_path / "same.csv").hardlink_to(source)
    done = derive(environment, source, "-o", tmp_path / "same.csv", "--force", code=7)
    assert "is the file of people itself" in done.stderr.decode()
    derive(environment, source, "-o", tmp_path / "cards.csv", "--force")
    assert len(table(tmp_path / "cards.csv")) == 1


@pytest.mark.parametrize("keep", ["ward,ward", "card_id"])
def test_columns_to_keep_are_unambiguous(tmp_path, environment, keep):
    derive(environment, write(tmp_path / "p.csv", [SAMPLE]), "-o", tmp_path / "c.csv", "--keep", keep, code=2)


def test_a_missing_folder_is_named(tmp_path, environment):
    source = write(tmp_path / "people.csv", [SAMPLE])
    done = derive(environment, source, "-o", tmp_path / "none" / "cards.csv", code=3)
    assert f"there is no folder {tmp_path / 'none'}" in done.stderr.decode()


def test_a_missing_keyring_says_what_to_do(tmp_path, environment):
    source = write(tmp_path / "people.csv", [SAMPLE])
    done = derive(environment, source, "-o", tmp_path / "cards.csv", "--keyring", tmp_path / "none", code=5)
    assert "ehc keys init" in done.stderr.decode()


def test_a_passphrase_comes_from_a_file(tmp_path, environment):
    (tmp_path / "word").write_text("a long passphrase of tests\n")
    keyring = tmp_path / "keyring"
    run(["keys", "init", "--keyring", keyring, "--passphrase-file", tmp_path / "word"], environment)
    source = write(tmp_path / "people.csv", [SAMPLE])
    options = ["--keyring", keyring, "--passphrase-file", tmp_path / "word"]
    derive(environment, source, "-o", tmp_path / "cards.csv", *options)
    assert table(tmp_path / "cards.csv")[0]["card_id"] != SAMPLE_CARD  # another key


def test_a_terminal_shows_progress(tmp_path, environment):
    source = write(tmp_path / "people.csv", people(2000))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ehc.cli", "derive", source, "-o", tmp_path / "cards.csv", *EACH_BLOCK]
    with subprocess.Popen(command, stderr=theirs, env=environment | {"TERM": "xterm", "COLUMNS": "120"}) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # the other end is closed
            os.close(ours)
    assert process.returncode == 0
    assert b"rows/s, left:" in shown


# --- size --------------------------------------------------------------------------------------------------------


WITH_PEAK = """
import atexit, pathlib, re
from ehc.cli.main import main
atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]))
main()
"""


def test_memory_does_not_grow_with_the_file(tmp_path, environment):
    rows = "".join(",".join(row) + "\n" for row in people(10_000))
    peaks = []
    for times in (20, 100):
        (tmp_path / "people.csv").write_text(HEADER + rows * times, encoding="utf-8")
        command = [sys.executable, "-c", WITH_PEAK, "derive", "people.csv", "-o", "cards.csv", "--force"]
        done = subprocess.run(command, capture_output=True, env=environment, check=True, cwd=tmp_path)
        peaks.append(int(done.stdout))  # KiB
    assert peaks[1] < 1.2 * peaks[0]
