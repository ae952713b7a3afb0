"""The same weights over DuckDB, by Splink: pairs of millions of records on all cores, and training (extra `index`).

A model of index/weights.py becomes Splink's settings, level for level, so that a pair has the same bits in both; a test
compares the two. DuckDB and rapidfuzz have the same edit distances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ehc.errors import ConfigError, InputError
from ehc.index.compare import View
from ehc.index.names import MISSING
from ehc.index.weights import Comparison, Level, Model

UNREACHED = 1e-9
LEAST_PAIRS = 100
_ID = "unique_id"


class ScoredPair(NamedTuple):
    one: int
    other: int
    bits: float


def score(
    model: Model, views: Mapping[int, View], blocks: Mapping[int, Mapping[str, str]], least: float
) -> list[ScoredPair]:
    """Pairs that share a block, from so many bits. blocks: record -> kind -> key. Raises ConfigError without Splink."""
    database = _splink().DuckDBAPI()
    linker = _linker(database, model, views, blocks)
    for column in {one.frequency for one in model.comparisons if one.frequency}:
        shares = database.register(_frequencies(model, views, column))
        linker.table_management.register_term_frequency_lookup(shares, column)
    table = linker.inference.predict(threshold_match_weight=least).as_duckdbpyrelation()
    rows = table.project(f"{_ID}_l, {_ID}_r, match_weight").fetchall()
    return [ScoredPair(min(a, b), max(a, b), bits) for a, b, bits in rows]


def train(
    model: Model, views: Mapping[int, View], blocks: Mapping[int, Mapping[str, str]], kinds: Sequence[str], seed: int
) -> Model:
    """The model with m and u as Splink finds them: u at random, m by EM over the pairs of each kind of block that has
    enough of them. Raises InputError where none has."""
    enough = [kind for kind in kinds if _pairs(blocks, kind) >= LEAST_PAIRS]
    if not enough:
        raise InputError(f"training: at least {LEAST_PAIRS} pairs of one kind of block are needed")
    linker = _linker(_splink().DuckDBAPI(), model, views, blocks)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
    block_on = _splink().block_on
    for kind in enough:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(_column(kind)))
    told = linker.misc.save_model_to_json()
    by_name = {one["output_column_name"]: one["comparison_levels"] for one in told["comparisons"]}
    comparisons = tuple(_trained(one, by_name[one.field]) for one in model.comparisons)
    return msgspec.structs.replace(model, comparisons=comparisons)


def _pairs(blocks: Mapping[int, Mapping[str, str]], kind: str) -> int:
    sizes = Counter(some[kind] for some in blocks.values() if kind in some)
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _splink() -> Any:
    try:
        import splink  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigError("Splink is not installed: pip install 'ehc[index]'") from error
    return splink


def _linker(database: Any, model: Model, views: Mapping[int, View], blocks: Mapping[int, Mapping[str, str]]) -> Any:
    splink = _splink()
    kinds = sorted({kind for some in blocks.values() for kind in some})
    settings = splink.SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=_ID,
        probability_two_random_records_match=model.prior,
        comparisons=[_comparison(one) for one in model.comparisons],
        blocking_rules_to_generate_predictions=[splink.block_on(_column(kind)) for kind in kinds],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    table = database.register(_table(views, blocks, kinds))
    table = database.register(_table(views, blocks, kinds))
    return splink.Linker(table, settings, log_level="ERROR", validate_settings=False)


def _table(views: Mapping[int, View], blocks: Mapping[int, Mapping[str, str]], kinds: Iterable[str]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  with Splink alone

    names = sorted({name for view in views.values() for name in view})
    columns: dict[str, list[Any]] = {_ID: list(views)}
    columns |= {name: [view.get(name) or None for view in views.values()] for name in names}
    columns |= {_column(kind): [blocks.get(number, {}).get(kind) for number in views] for kind in kinds}
    return pa.table(columns)


def _column(kind: str) -> str:
    return "block_" + "".join(one if one.isalnum() else "_" for one in kind)


def _comparison(of: Comparison) -> dict[str, Any]:
    missing = " OR ".join(f'"{name}_{side}" IS NULL' for name in of.needs for side in "lr")
    levels: list[dict[str, Any]] = [{"sql_condition": missing, "label_for_charts": "unknown", "is_null_level": True}]
    levels += [_level(one, of.frequency if number == 0 else "") for number, one in enumerate(of.levels)]
    levels.append(
        {"sql_condition": "ELSE", "label_for_charts": "differs", "m_probability": of.m_else, "u_probability": of.u_else}
    )
    return {"output_column_name": of.field, "comparison_levels": levels}


def _level(of: Level, frequency: str) -> dict[str, Any]:
    level: dict[str, Any] = {
        "sql_condition": condition(of),
        "label_for_charts": of.name,
        "m_probability": of.m,
        "u_probability": of.u,
    }
    return level | ({"tf_adjustment_column": frequency, "tf_adjustment_weight": 1.0} if frequency else {})


def condition(of: Level) -> str:
    """The level's test in DuckDB's SQL; its columns are names of the model, its limit is a number."""
    one, other = f'"{of.columns[0]}_l"', f'"{of.columns[0]}_r"'
    if of.test == "equal":
        return f"{one} = {other}"
    if of.test == "edit":
        return f"damerau_levenshtein({one}, {other}) <= {int(of.limit)}"
    if of.test == "jaro_winkler":
        return f"jaro_winkler_similarity({one}, {other}) >= {float(of.limit)}"
    if of.test == "prefix":
        return f"left({one}, {int(of.limit)}) = left({other}, {int(of.limit)})"
    if of.test == "crossed":
        second = of.columns[1]
        return f'{one} = "{second}_r" AND "{second}_l" = {other}'
    return _fits(one, other)


def _fits(one: str, other: str) -> str:
    """names.fits: place by place, one of the two missing or both the same, and not all missing."""
    places = f"range(1, length({one}) + 1)"
    a, b = f"substr({one}, i, 1)", f"substr({other}, i, 1)"
    known = f"{a} <> '{MISSING}' AND {b} <> '{MISSING}'"
    wrong = f"len(list_filter({places}, lambda i: {known} AND {a} <> {b})) = 0"
    right = f"len(list_filter({places}, lambda i: {known} AND {a} = {b})) > 0"
    return f"length({one}) = length({other}) AND {wrong} AND {right}"


def _frequencies(model: Model, views: Mapping[int, View], column: str) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    shares, rarest = model.frequencies.get(column, {}), model.rarest.get(column, UNREACHED)
    values = sorted({value for view in views.values() if (value := view[column])})
    return pa.table({column: values, f"tf_{column}": [shares.get(value, rarest) for value in values]})


def _trained(old: Comparison, told: Sequence[Mapping[str, Any]]) -> Comparison:
    """What Splink could not find keeps what the model said."""
    *levels, other = [one for one in told if not one.get("is_null_level")]
    pairs = list(zip(old.levels, levels, strict=True))
    kept = tuple(msgspec.structs.replace(one, m=_of(new, "m", one.m), u=_of(new, "u", one.u)) for one, new in pairs)
    m_else, u_else = _of(other, "m", old.m_else), _of(other, "u", old.u_else)
    return msgspec.structs.replace(old, levels=kept, m_else=m_else, u_else=u_else)


def _of(level: Mapping[str, Any], which: str, otherwise: float) -> float:
    found = level.get(f"{which}_probability")
    return min(1 - UNREACHED, max(UNREACHED, float(found))) if isinstance(found, float) else otherwise
