"""The model that an index of people in China begins with; `ehc index train` puts one of its own records in its place.

m, u and the thresholds were set by hand, from how often such mistakes are made and how common the values are: what EM
finds does no better (README.md). Weights alone never merge where names differ: deciding.py.
"""

from __future__ import annotations

from ehc.index.weights import Comparison, Level, Model

MODEL = Model(
    name="chinese",
    comparisons=(
        Comparison(
            "name",
            ("name",),
            (
                Level("equal", "equal", ("name",), 0.955, 0.00005),
                Level("fits", "fits", ("name",), 0.003, 0.000005),
                Level("pinyin", "equal", ("latin",), 0.012, 0.00012),
                Level("similar", "edit", ("name",), 0.012, 0.02, 1),
            ),
            0.018,
            0.979825,
            "name",
        ),
        Comparison(
            "birth_date",
            ("birth_date",),
            (
                Level("equal", "equal", ("birth_date",), 0.975, 0.00004),
                Level("similar", "edit", ("birth_date",), 0.02, 0.004, 1),
                Level("year", "prefix", ("birth_date",), 0.003, 0.012, 4),
            ),
            0.002,
            0.98396,
        ),
        Comparison("sex", ("sex",), (Level("equal", "equal", ("sex",), 0.995, 0.5),), 0.005, 0.5),
        Comparison(
            "number",
            ("number",),
            (
                Level("equal", "equal", ("number",), 0.97, 0.000001),
                Level("similar", "edit", ("number",), 0.025, 0.00001, 2),
            ),
            0.005,
            0.999989,
        ),
        Comparison(
            "phone", ("phone",), (Level("equal", "equal", ("phone",), 0.85, 0.000003),), 0.15, 0.999997, "phone"
        ),
        Comparison(
            "address",
            ("address",),
            (
                Level("equal", "equal", ("address",), 0.75, 0.000003),
                Level("similar", "jaro_winkler", ("address",), 0.15, 0.002, 0.94),
            ),
            0.1,
            0.997997,
        ),
        Comparison("mother", ("mother",), (Level("equal", "equal", ("mother",), 0.95, 0.0001),), 0.05, 0.9999),
        Comparison("birth_order", ("birth_order",), (Level("equal", "equal", ("birth_order",), 0.99, 0.6),), 0.01, 0.4),
    ),
    prior=3e-7,
    upper=14.0,
    lower=3.0,
    rarest={"name": 0.000002, "phone": 0.000001},
)
