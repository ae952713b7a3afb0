"""SQL takes values only as bound parameters, and nobody's data leaves in an exception."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import servers
from sqlalchemy import Engine, exc, text

import ehc
from ehc.store.bulk_postgres import driver
from ehc.store.database import migrate, open_engine

NAME = "电子健康卡"
SOURCES = sorted(Path(ehc.__file__).parent.rglob("*.py"))
SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|COPY|DROP|ALTER)\b .*\b(FROM|VALUES|SET|TABLE|WHERE)\b"
)
MADE_OF_CONSTANTS = {"step_0002_accounts.py": 1, "rekeying_postgres.py": 1}
"""Files with SQL put together of what stands in the file itself, and how often."""


def _is_built(node: ast.AST) -> bool:
    """A string with SQL in it that is put together at run time."""
    if isinstance(node, ast.JoinedStr):
        return bool(SQL.search(ast.unparse(node))) and any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return (
            isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
            and bool(SQL.search(node.left.value))
        )
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    text = node.func.value
    escaped = isinstance(text, ast.Call) and ast.unparse(text.func) == "sql.SQL"  # psycopg quotes what goes into it
    return node.func.attr in ("format", "join") and not escaped and bool(SQL.search(ast.unparse(text)))


def test_no_sql_is_put_together_from_values() -> None:
    found = {path.name: sum(map(_is_built, ast.walk(ast.parse(path.read_text("utf-8"))))) for path in SOURCES}
    assert {name: count for name, count in found.items() if count} == MADE_OF_CONSTANTS


@pytest.mark.parametrize(
    "line",
    [
        'f"SELECT * FROM accounts WHERE name = {name}"',
        '"DELETE FROM accounts WHERE name = %s" % name',
        '"SELECT * FROM accounts WHERE name = " + name',
        '"UPDATE accounts SET name = {}".format(name)',
        'sql.SQL(f"DELETE FROM accounts WHERE name = {name}").format(sql.Identifier(name))',
    ],
)
def test_the_search_finds_each_way_to_do_it(line: str) -> None:
    assert any(map(_is_built, ast.walk(ast.parse(line))))


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'a.db'}"


def _postgres(_folder: Path) -> str:
    return servers.migrated_postgres()


@pytest.fixture(params=[_sqlite, _postgres])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(request.param(tmp_path))
    migrate(opened)
    yield opened
    opened.dispose()


def chain(error: BaseException | None) -> str:
    """What a log would show of it."""
    return "" if error is None else f"{error} {error.args} {chain(error.__cause__ or error.__context__)}"


def test_a_fault_of_ours_shows_no_values(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(exc.IntegrityError) as caught:
        connection.execute(text("INSERT INTO accounts (account, name) VALUES (1, :name)"), {"name": NAME})
    assert NAME not in chain(caught.value)


def test_a_fault_of_ours_in_the_driver_shows_no_values() -> None:
    engine = open_engine(servers.migrated_postgres())
    statement = "INSERT INTO accounts (account, name) VALUES (1, %s)"
    with (
        pytest.raises(psycopg.errors.NotNullViolation) as caught,
        engine.begin() as connection,
        driver(connection) as raw,
    ):
        raw.execute(statement, (NAME,))
    assert NAME not in chain(caught.value)
    engine.dispose()
