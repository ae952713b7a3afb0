"""Where an operator begins."""

from __future__ import annotations

from starlette.responses import Response

from ehc.institutions.late import DAY, day_of
from ehc.institutions.statistics import Dimension, Question
from ehc.web.console import forms
from ehc.web.console.chart import columns
from ehc.web.console.handlers.statistics import OUTCOMES, by_day
from ehc.web.console.page import Visit

DAYS = 7


def show_home(visit: Visit, query: forms.Done) -> Response:
    until = day_of(visit.now) + DAY
    question = Question(until - DAYS * DAY, until, (Dimension.DAY, Dimension.OUTCOME))
    days = by_day(visit.services.statistics.count(question), question)
    today = dict(zip(OUTCOMES, days[-1].parts, strict=True))
    return visit.show("home.html", chart=columns(days), today=today)
