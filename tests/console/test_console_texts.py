"""Texts, templates and colours: both languages everywhere, no text and no style outside their files, WCAG AA."""

import ast
import re
from pathlib import Path

import pytest

import ehc.web.console
from ehc.access.operator import Role
from ehc.cards.account import EventKind
from ehc.cards.rekeying import Phase
from ehc.index.record import FIELDS
from ehc.index.review import Matter, ReviewAnswer
from ehc.index.weights import ELSE, NOTHING
from ehc.institutions.place import Channel
from ehc.institutions.use import Outcome
from ehc.model import AccountState, CardKind, IdType, Origin, PersonKind
from ehc.registry.card import CardEventKind, CardState
from ehc.sdkauth.app import AppState
from ehc.sdkauth.sdk import SdkState
from ehc.web.console.catalogue import LANGUAGES, TEXTS
from ehc.web.console.chart import Column, bars, columns, nice_top
from ehc.web.console.handlers.people import CHANGES
from ehc.web.console.menu import MENU
from ehc.web.console.sentences import SENTENCES
from ehc.web.console.table import PAGES

ROOM = Path(ehc.web.console.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.html"))
SOURCES = {path: path.read_text("utf-8") for path in [*TEMPLATES, *ROOM.rglob("*.py")]}
CSS = (ROOM / "static/console.css").read_text("utf-8")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMED_ALIKE = {"fact.python"}

FAMILIES = {
    "role": list(Role),
    "role.what": list(Role),
    "home.lead": list(Role),
    "state": [one.name for one in AccountState],
    "kind": [one.name for one in CardKind],
    "origin": [one.name for one in Origin],
    "physical.state": [one.word for one in CardState],
    "physical.event": list(CardEventKind),
    "person": [one.name for one in PersonKind],
    "id_type": [one.value for one in IdType],
    "event": [one.value for one in EventKind],
    "channel": [one.value for one in Channel],
    "outcome": [one.value for one in Outcome],
    "change": list(CHANGES),
    "change.what": list(CHANGES),
    "change.go": list(CHANGES),
    "done": [
        *CHANGES,
        "revoke_code",
        "enabled",
        "disabled",
        "revoked",
        "changed",
        "password",
        "claim",
        "decide_review",
    ],
    "apps.state": sorted({*AppState, *SdkState}),
    "apps.to": sorted({*AppState, *SdkState}),
    "index.by": ["number", "person"],
    "index.wrong": ["number", "person"],
    "matter": list(Matter),
    "answer": list(ReviewAnswer),
    "review.asks": list(Matter),
    "review.one": list(Matter),
    "review.other": list(Matter),
    "index.field": list(FIELDS),
    "level": ["equal", "fits", "pinyin", "similar", "year", ELSE, NOTHING],
    "menu": [key for key, _, _ in MENU],
    "tile": [key for key, _, _ in MENU if key != "home"],
    "page": [page.name for page in PAGES if page.deed]
    + ["search", "show_person", "find_physical", "sign_in", "search_index", "show_review"],
    "part": ["institution", "department", "terminal"],
    "place": ["registered", "modified", "enabled", "disabled"],
    "codes.kind": ["static", "dynamic"],
    "codes.hint": ["static", "dynamic"],
    "secret.title": ["key", "rotated", "password"],
    "secret.what": ["key", "rotated", "password"],
    "search.by": ["document", "card_id", "phone"],
    "search.wrong": ["document", "card_id", "phone"],
    "health": ["service", "store", "hot", "keys", "core"],
    "rekeying.phase": list(Phase),
    "rekeying.means": list(Phase),
    "error": ["forbidden", "conflict", "not-found", "input", "too-many", "no-such-path", "unavailable", "internal"],
}
"""Keys that are put together where they are used: family -> last parts."""


def test_every_text_is_there_in_both_languages() -> None:
    assert all(len(texts) == len(LANGUAGES) and all(text.strip() for text in texts) for texts in TEXTS.values())
    languages = {key: texts for key, texts in TEXTS.items() if not key.startswith(("language.", *NAMED_ALIKE))}
    assert [key for key, (chinese, _) in languages.items() if not CHINESE.search(chinese)] == []
    assert [key for key, (_, english) in languages.items() if CHINESE.search(english)] == []
    fields = [key for key, texts in TEXTS.items() if len({tuple(re.findall(r"{\w+}", text)) for text in texts}) > 1]
    assert fields == []


def test_every_text_that_is_asked_for_is_there_and_every_one_is_used() -> None:
    asked = {key for text in SOURCES.values() for key in re.findall(r'\b(?:t|text)\("([a-z0-9_.]+)"[,)]', text)}
    made = {f"{family}.{last}" for family, parts in FAMILIES.items() for last in parts}
    assert sorted((asked | made) - set(TEXTS)) == []
    prefixes = {key for text in SOURCES.values() for key in re.findall(r'"([a-z_.]+\.)" ~', text)}
    prefixes |= {"region.", "scene."}
    assert [key for key in TEXTS if key not in asked and not key.startswith(tuple(prefixes))] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_holds_no_text_no_script_and_no_style(template: Path) -> None:
    text = SOURCES[template]
    assert not CHINESE.search(text)
    assert not re.search(r"<script|<style|\bstyle=|\bon\w+=|javascript:|\|\s*safe\b|autoescape", text)
    visible = re.sub(r"{%.*?%}|{{.*?}}|<code>ehc [^<]*</code>|<[^>]*>|&\w+;", " ", text, flags=re.DOTALL)
    assert not re.search(r"[A-Za-z]{2,}", visible.replace("MiB", ""))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_field_has_a_label_and_every_posting_form_a_token(template: Path) -> None:
    text = SOURCES[template]
    labels = set(re.findall(r'<label for="([^"]+)"', text))
    for field in re.findall(r"<(?:input|select)\b[^>]*>", text):
        if 'type="hidden"' in field or 'type="radio"' in field or 'type="checkbox"' in field or "aria-hidden" in field:
            continue
        name = re.search(r'\bid="([^"]+)"', field)
        assert name, field
        assert name[1] in labels, field
    for form in re.findall(r'<form method="post".*?</form>', text, flags=re.DOTALL):
        assert "csrf_field(csrf)" in form


def test_only_our_own_drawing_is_put_into_a_page_as_it_is() -> None:
    marked = [
        path.name
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(SOURCES[path]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup"
    ]
    assert sorted(marked) == ["people.py", "second_factor.py"]  # QR symbols


def test_every_sentence_in_chinese_belongs_to_an_error_that_is_raised() -> None:
    raised = "\n".join(path.read_text("utf-8") for path in ROOM.parents[1].rglob("*.py") if path.name != "sentences.py")
    raised = raised.replace("{REASON_CHARACTERS}", "200").replace("{MOST_DAYS}", "92")
    raised = raised.replace("{SHORTEST}", "12").replace("{LONGEST}", "128")
    assert [sentence for sentence in SENTENCES if sentence not in raised] == []
    assert all(CHINESE.search(text) for text in SENTENCES.values())


# --- colours


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2: 1 to 21."""
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", CSS))
    low, high = sorted((_luminance(colours[one]), _luminance(colours[other])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "pair",
    [
        ("ink", "ground"),
        ("ink", "paper"),
        ("muted", "ground"),
        ("muted", "paper"),
        ("brand", "ground"),
        ("brand", "paper"),
        ("brand", "brand-soft"),
        ("brand-deep", "brand-soft"),
        ("on-brand", "brand"),
        ("on-brand", "brand-deep"),
        ("on-brand-soft", "brand"),
        ("on-brand-soft", "brand-deep"),
        ("good", "good-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("bad", "paper"),
    ],
)
def test_text_is_legible(pair: tuple[str, str]) -> None:
    assert contrast(*pair) >= 4.5


@pytest.mark.parametrize(
    "pair",
    [
        ("field", "paper"),
        ("focus", "paper"),
        ("focus", "ground"),
        ("part-0", "paper"),
        ("part-1", "paper"),
        ("part-2", "paper"),
    ],
)
def test_edges_and_charts_are_visible(pair: tuple[str, str]) -> None:
    assert contrast(*pair) >= 3


def test_colours_stand_in_one_place() -> None:
    body = CSS.split("}", 1)[1]
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", body.partition("@media print")[0])) <= {"#fff"}


# --- charts


def test_a_column_is_as_high_as_its_part_of_the_scale() -> None:
    chart = columns([Column("a", (100, 50), ""), Column("b", (0, 0), ""), Column("c", (200, 0), "")])
    assert chart.total == 350
    assert [value for _, value in chart.lines] == [200, 150, 100, 50, 0]
    first, second, third = chart.rectangles  # nothing is drawn for nothing
    assert (first.height, second.height, third.height) == (100.0, 50.0, 200.0)
    assert second.y + second.height == first.y
    assert third.y == 0
    assert third.x + third.width < 1000


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (237, 400), (801, 2000)])
def test_a_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert nice_top(most) == top


def test_bars_are_sorted_and_the_rest_stands_together() -> None:
    found = bars([("a", 1), ("b", 40), ("c", 9), ("d", 0)], 2, "others")
    assert [(one.label, one.value, one.width) for one in found] == [
        ("b", 40, 100.0),
        ("c", 9, 22.5),
        ("others", 1, 2.5),
    ]
    assert sum(one.share for one in found) == 100
    assert bars([], 2, "others") == ()
