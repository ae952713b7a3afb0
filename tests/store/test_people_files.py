"""Reading files of people: which lines are rows, which are refused and why, whatever the size of the blocks."""

import contextlib
import csv
import io
import itertools
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ehc.errors import FileError
from ehc.store.csv_lines import LINE_BYTES, raw_lines, split
from ehc.store.people_files import CsvPeople, Encoding, Format, Position, format_of, open_people

HEADER = "id_type,id_number,name,ward\n"


def opened(tmp_path, content, *, keep=(), encoding=Encoding.UTF_8, block=1 << 16, suffix=".csv"):
    path = tmp_path / f"people{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return open_people(path, format_of(path, Format.CSV), keep, encoding, block)


def cells(column):
    data, offsets = column
    return [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]


def read(people, start=None):
    """([(line, id_type, id_number, name, *kept)], [refusals], where each block ended)."""
    rows, refused, ends = [], [], []
    with contextlib.closing(people):
        for block in people.blocks(start or people.start):
            columns = [cells(column) for column in block.people]
            rows += zip(block.lines.tolist(), *columns, *(kept.to_pylist() for kept in block.kept), strict=True)
            refused += block.refused
            ends.append(block.following)
    return rows, refused, ends


# --- lines ---------------------------------------------------------------------------------------------------------

FIELD = rb'(?:"(?:[^"\r]|"")*"|[^",\r]*)'


def expected(content, fields):
    """(good lines with their numbers, numbers of refused ones), one line at a time, by the grammar."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    good, refused = [], []
    for number, line in enumerate(lines, 1):
        text = line.removesuffix(b"\r")
        if not text:
            continue
        well = len(line) <= LINE_BYTES and re.fullmatch(rb"%b(?:,%b){%d}" % (FIELD, FIELD, fields - 1), text)
        (good if well else refused).append((number, line) if well else number)
    return good, refused


@given(
    content=st.lists(st.sampled_from([b"a", b",", b'"', b"\r", b"\n", b"\r\n", b'""', b'","', b"a,b,c\n"])).map(
        b"".join
    ),
    size=st.integers(1, 40),
)
@example(content=b'x"y,"z,q\na,b,c\n', size=40)  # the quotes are even, and yet the second opens a field
@example(content=b'"""a""",b,c\n"a""",,\n', size=40)
def test_each_line_stands_for_itself_whatever_the_block_size(content, size):
    good, refused, offset = [], [], 0
    for raw in raw_lines(io.BytesIO(content), 0, 1, size):
        lines = split(raw, 3)
        good += zip(lines.numbers.tolist(), lines.data.split(b"\n")[:-1], strict=True)
        refused += [one.line for one in lines.refused]
        offset = raw.end
    assert (good, refused) == expected(content, 3)
    assert offset - len(content) in (0, 1)


@given(st.lists(st.lists(st.text('ab", \r', max_size=4), min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_cells_are_those_that_the_csv_module_reads(rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    stream = io.BytesIO(b"id_type,id_number,name\n" + text.getvalue().encode())
    found, refused, _ = read(CsvPeople(stream, "people", [], Encoding.UTF_8, 1 << 16))
    fine = [(i, row) for i, row in enumerate(rows, 2) if not any("\r" in cell for cell in row)]
    assert found == [(i, *(cell.encode() for cell in row)) for i, row in fine]
    assert len(refused) == len(rows) - len(fine)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("01,1,测试", "3 fields where the header has 4"),
        ("01,1,测试,2,3", "5 fields where the header has 4"),
        ('01,1,"测试,2', "quotes are not balanced"),
        ('01,1,测"试"x,2', "quotes are not balanced"),
        ('01,1,"测试"x,2', "quotes are not balanced"),
        ("01,1\r2,测试,2", "carriage return inside"),
        (f"01,1,测试,{'x' * LINE_BYTES}", "over 65,536 bytes"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number_and_the_next_is_read(tmp_path, line, reason):
    rows, refused, _ = read(opened(tmp_path, f"{HEADER}01,1,甲,a\n{line}\n01,2,乙,b\n"))
    assert [row[0] for row in rows] == [2, 4]
    assert [(one.line, one.column) for one in refused] == [(3, "")]
    assert reason in refused[0].reason
    assert "测" not in refused[0].reason


def test_a_line_of_10_mb_is_one_refusal_and_is_never_held_in_memory(tmp_path):
    content = HEADER.encode() + b"01,1,a,b\n01,2,a," + b"x" * 10_000_000 + b"\n01,3,a,b\n"
    rows, refused, ends = read(opened(tmp_path, content))
    assert [(row[0], row[2]) for row in rows] == [(2, b"1"), (4, b"3")]
    assert [one.line for one in refused] == [3]
    assert ends[-1] == Position(len(content), 5)
    longest = max(len(raw.data or b"") for raw in raw_lines(io.BytesIO(content), 0, 1, 1 << 16))
    assert longest <= 2 << 16


def test_a_10_mb_line_without_end_is_one_refusal(tmp_path):
    rows, refused, _ = read(opened(tmp_path, HEADER.encode() + b"01,1,a,b\n" + b"x" * 10_000_000))
    assert ([row[0] for row in rows], [one.line for one in refused]) == ([2], [3])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_missing_last_one_and_byte_order_mark_make_no_difference(tmp_path, end, last, mark):
    content = mark + end.join([HEADER.strip(), "01,1,甲,a", "", "01,2,乙,b"]) + (end if last else "")
    rows, refused, _ = read(opened(tmp_path, content, keep=["ward"]))
    assert rows == [(2, b"01", b"1", "甲".encode(), "a"), (4, b"01", b"2", "乙".encode(), "b")]
    assert refused == []


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 16])
def test_reading_goes_on_from_the_end_of_any_block(tmp_path, block):
    content = HEADER + "".join(f'0{i % 9},"{i}",人{i},w\n' for i in range(50)) + "short\n"
    whole, refused, _ = read(opened(tmp_path, content))
    _, _, ends = read(opened(tmp_path, content, block=block))
    for end in ends:
        rest, late, _ = read(opened(tmp_path, content, block=block), end)
        assert rest == [row for row in whole if row[0] >= end.line]
        assert late == [one for one in refused if one.line >= end.line]


def test_a_byte_order_mark_inside_a_file_stays_where_it_is(tmp_path):
    content = HEADER + "\ufeff01,1,甲,a\n\ufeff01,1,甲,a\n"
    for block in (1, 1 << 16):
        rows, _, _ = read(opened(tmp_path, content, block=block))
        assert [row[1] for row in rows] == ["\ufeff01".encode()] * 2


# --- headers and whole files -----------------------------------------------------------------------------------------


def test_chinese_titles_any_order_and_other_columns(tmp_path):
    people = opened(tmp_path, '科室,姓名, 证件号码 ,"证件类型"\n内科,测试,1,01\n', keep=["科室"])
    assert people.titles == ("证件类型", "证件号码", "姓名")
    assert read(people)[0] == [(2, b"01", b"1", "测试".encode(), "内科")]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty: the first line names the columns, id_type (证件类型)"),
        (b"\n01,1,a\n", "begins with an empty line"),
        (HEADER.encode("utf-16"), "is UTF-16 text: save it as CSV UTF-8"),
        (HEADER.encode("utf-16-be"), "NUL bytes in its first line"),
        (b"PK\x03\x04....", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0....", "old Excel workbook"),
        (b"\x1f\x8b....", "compressed (gzip)"),
        (b"PAR1....", "is a Parquet file"),
        (b"id_type,name\n01,a\n", "no column id_number (证件号码) among 2 columns"),
        (b"01,11010020171225006X,name\n", "no column id_type (证件类型), id_number (证件号码) among 3"),
        ("id_type,id_number,name,姓名\n".encode(), "more than one column name"),
        (b"id_type;id_number;name\n", "separated by semicolons"),
        (b"id_type\tid_number\tname\n", "separated by tabs"),
        (b'id_type,"id_number,name\n', "quotes of line 1 are not balanced"),
        (b"id_type,id_number,name\r01,1,a\r", "carriage returns inside"),
        (b"id_type,id_number,name," + b"x" * LINE_BYTES, "over 65,536 bytes"),
        ("证件类型,证件号码,姓名\n".encode("gb18030"), "line 1, byte 3 (0xBC) is not UTF-8: try --encoding gb18030"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_it_is_and_what_to_do(tmp_path, content, found):
    with pytest.raises(FileError) as caught:
        opened(tmp_path, content)
    assert found in str(caught.value)
    assert str(tmp_path / "people.csv") in str(caught.value)
    assert "11010020171225006X" not in str(caught.value)


def test_kept_columns_must_be_there_once(tmp_path):
    with pytest.raises(FileError, match="no column bed to keep"):
        opened(tmp_path, HEADER, keep=["ward", "bed"])
    with pytest.raises(FileError, match="more than one column ward"):
        opened(tmp_path, "id_type,id_number,name,ward,ward\n", keep=["ward"])


def test_a_missing_file_and_an_unknown_suffix_are_named(tmp_path):
    with pytest.raises(FileError, match=r"nobody\.csv: No such file"):
        open_people(tmp_path / "nobody.csv", Format.CSV, [], Encoding.UTF_8, 1 << 16)
    with pytest.raises(FileError, match=r"people\.xlsx: what kind of file"):
        format_of(tmp_path / "people.xlsx", Format.CSV)


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [Encoding.GBK, Encoding.GB18030])
def test_gb_files_are_read_as_utf_8_and_a_broken_cell_is_refused_alone(tmp_path, encoding):
    lines = ["证件类型,证件号码,姓名,科室", "01,1,测试,内科", "01,2,测试,内科", "01,3,试测,外科"]
    content = [line.encode(encoding) for line in lines]
    content[2] = "01,2,测".encode(encoding) + b"\xff,x"
    rows, refused, _ = read(opened(tmp_path, b"\n".join(content), keep=["科室"], encoding=encoding))
    assert rows == [(2, b"01", b"1", "测试".encode(), "内科"), (4, b"01", b"3", "试测".encode(), "外科")]
    assert [tuple(one) for one in refused] == [(3, "姓名", f"byte 3 of the field (0xFF) is not {encoding.upper()}")]


def test_a_lead_byte_at_the_end_of_a_cell_does_not_take_in_the_next_cell(tmp_path):
    content = "id_type,id_number,name\n01,1,测".encode("gb18030") + b"\xb2\n01,2,\xb2\xe2\n"
    rows, refused, _ = read(opened(tmp_path, content, encoding=Encoding.GB18030))
    assert rows == [(3, b"01", b"2", "测".encode())]
    assert [one.line for one in refused] == [2]


def test_utf_8_with_a_mark_is_not_read_as_gb18030(tmp_path):
    with pytest.raises(FileError, match="UTF-8 by its byte order mark"):
        opened(tmp_path, "\ufeff" + HEADER, encoding=Encoding.GB18030)


def test_a_kept_cell_that_is_not_utf_8_refuses_its_row(tmp_path):
    content = HEADER.encode() + b"01,1,a,ok\n01,2,a,\xb2\xe2\n01,3,a,ok\n"
    rows, refused, _ = read(opened(tmp_path, content, keep=["ward"]))
    assert [row[0] for row in rows] == [2, 4]
    assert [tuple(one) for one in refused] == [(3, "ward", "byte 1 of the field (0xB2) is not UTF-8")]


# --- Parquet ---------------------------------------------------------------------------------------------------------


def parquet(tmp_path, columns, **options):
    path = tmp_path / "people.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_text_of_any_kind_is_read_by_row_number(tmp_path, kind):
    columns = {title: pa.array(["01", "99", None]).cast(kind) for title in ("证件类型", "id_number", "name")}
    path = parquet(tmp_path, columns | {"ward": pa.array([1, None, 3])})
    rows, refused, _ = read(open_people(path, Format.PARQUET, ["ward"], Encoding.UTF_8, 128))
    assert rows == [(1, b"01", b"01", b"01", 1), (2, b"99", b"99", b"99", None), (3, b"", b"", b"", 3)]
    assert refused == []


@pytest.mark.parametrize("dictionary", [True, False, ["id_type"]])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
@pytest.mark.parametrize("keep", [[], ["name"]])
def test_parquet_gives_the_same_texts_however_they_lie(tmp_path, dictionary, kind, keep):
    names = [("张三", "李四", None, "", "欧阳")[i * i % 5] for i in range(5000)]
    numbers = [f"{i:018}" for i in range(5000)]
    columns = {"id_type": ["01"] * 5000, "id_number": numbers, "name": names}
    columns = {title: pa.array(texts).cast(kind) for title, texts in columns.items()}
    path = parquet(tmp_path, columns, use_dictionary=dictionary, row_group_size=1700)
    rows, refused, _ = read(open_people(path, Format.PARQUET, keep, Encoding.UTF_8, 1 << 14))
    expected = [b"01", *([text.encode() for text in texts] for texts in (numbers, [name or "" for name in names]))]
    assert [row[1:4] for row in rows] == [(expected[0], *row) for row in zip(*expected[1:], strict=True)]
    assert [row[4] for row in rows if keep] == (columns["name"].to_pylist() if keep else [])
    assert refused == []


def test_parquet_reading_goes_on_from_any_block(tmp_path):
    numbers = [str(i) for i in range(100)]
    path = parquet(tmp_path, dict.fromkeys(("id_type", "id_number", "name"), numbers), row_group_size=30)
    whole, _, ends = read(open_people(path, Format.PARQUET, [], Encoding.UTF_8, 64 * 7))
    assert [row[0] for row in whole] == list(range(1, 101))
    for end in ends:
        rest, _, _ = read(open_people(path, Format.PARQUET, [], Encoding.UTF_8, 64 * 7), end)
        assert rest == whole[end.offset :]


def test_parquet_numbers_are_refused_as_a_column(tmp_path):
    path = parquet(tmp_path, {"id_type": ["01"], "id_number": np.array([110100]), "name": ["a"]})
    with pytest.raises(FileError, match="column id_number holds int64: text is wanted"):
        open_people(path, Format.PARQUET, [], Encoding.UTF_8, 1 << 16)


def test_what_is_no_parquet_or_is_cut_off_is_named(tmp_path):
    path = tmp_path / "people.parquet"
    path.write_bytes(b"id_type,id_number,name\n")
    with pytest.raises(FileError, match="no Parquet file"):
        open_people(path, Format.PARQUET, [], Encoding.UTF_8, 1 << 16)
    numbers = [f"{i:030}" for i in range(5000)]
    parquet(tmp_path, dict.fromkeys(("id_type", "id_number", "name"), numbers), row_group_size=1000, compression="none")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = b"\xff" * 4000
    path.write_bytes(content)
    with pytest.raises(FileError, match="cannot be read after row"):
        read(open_people(path, Format.PARQUET, [], Encoding.UTF_8, 1 << 16))
