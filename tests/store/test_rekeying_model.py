"""Registering, renaming, cancelling and re-keying in any order, against the model in rekeyings.py."""

import shutil
import tempfile
from pathlib import Path

import servers
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rekeyings import NOW, Model, Province

from ehc.cards.rekeying import AFTER, OVER, Phase, pause
from ehc.config import Settings
from ehc.model import AccountState
from ehc.wiring.stores import open_store

PEOPLE = st.integers(0, 11)
NAMES = st.sampled_from(["测试", "测试甲", "测试乙"])
_migrated: list[Path] = []


class Rekeyings(RuleBasedStateMachine):
    """Over SQLite; the job of three accounts a step."""

    paused = False

    def database(self) -> str:
        if not _migrated:
            _migrated.append(Path(tempfile.mkdtemp(prefix="ehc-model-")))
            open_store(Settings(home=str(_migrated[0]))).close()
        shutil.copy(_migrated[0] / "ehc.db", self.home / "ehc.db")
        return ""

    @initialize()
    def begin_province(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ehc-model-"))
        self.stores = open_store(Settings(home=str(self.home), database=self.database()))
        self.model = Model()
        self.province.register_many(range(5))
        for i in range(5):
            self.model.register(i)

    def teardown(self) -> None:
        self.stores.close()
        shutil.rmtree(self.home)

    @property
    def province(self) -> Province:
        return Province(self.stores, most=3, active=self.model.present)

    @rule(i=PEOPLE)
    def register(self, i: int) -> None:
        if i not in self.model.people:
            self.province.register(i)
            self.model.register(i)

    @rule(i=PEOPLE, name=NAMES)
    def rename(self, i: int, name: str) -> None:
        one = self.model.people.get(i)
        if one and one.state is AccountState.NORMAL and one.name != name:
            card = self.province.of(i)
            assert card is not None
            self.province.rename(card, name)
            self.model.rename(i, name)

    @rule(i=PEOPLE)
    def cancel(self, i: int) -> None:
        one = self.model.people.get(i)
        if one and one.state is AccountState.NORMAL:
            card = self.province.of(i)
            assert card is not None
            self.province.cancel(card)
            one.state = AccountState.CANCELLED

    @precondition(lambda self: not self.model.open)
    @rule()
    def begin(self) -> None:
        self.model.forget_ended()
        self.province.begin(self.model.present)
        self.model.begin()

    @precondition(lambda self: self.model.open)
    @rule(steps=st.integers(1, 12))
    def work(self, steps: int) -> None:
        for _ in range(steps):
            self.province.rekeyer.step(NOW)
        state = self.province.rekeyer.state()
        if self.paused:
            assert state.phase is self.model.phase
        self.model.phase = state.phase

    @precondition(lambda self: self.model.open)
    @rule()
    def pause_or_resume(self) -> None:
        self.paused = not self.paused
        pause(self.stores.rekeying, paused=self.paused)

    @precondition(lambda self: self.model.open)
    @rule(phase=st.sampled_from([Phase.GRACE, Phase.RETIRE, Phase.ROLL_BACK]))
    def say(self, phase: Phase) -> None:
        if self.model.allows(phase):
            job = self.province.rekeyer
            {Phase.GRACE: job.flip, Phase.RETIRE: job.retire, Phase.ROLL_BACK: job.roll_back}[phase](NOW)
            self.model.enter(phase)
            self.paused = False

    @invariant()
    def everybody_is_found(self) -> None:
        for i in self.model.people:
            self.model.check(self.province, i)

    @invariant()
    def the_phase_is_as_said(self) -> None:
        latest = self.stores.rekeying.latest()
        if latest is not None:
            assert latest.phase is self.model.phase
            assert latest.phase in OVER or latest.present == self.model.present
            assert latest.phase in AFTER or not latest.wrong


class RekeyingsOnPostgres(Rekeyings):
    def database(self) -> str:
        return servers.migrated_postgres()


TestRekeyings = Rekeyings.TestCase
TestRekeyings.settings = settings(max_examples=12, stateful_step_count=30)
TestRekeyingsOnPostgres = RekeyingsOnPostgres.TestCase
TestRekeyingsOnPostgres.settings = settings(max_examples=3, stateful_step_count=30)
