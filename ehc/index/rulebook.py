"""The rules in force: registered domains and the model, read from the store once and again when they changed."""

from __future__ import annotations

from functools import cached_property

from ehc.index.chinese import MODEL
from ehc.index.deciding import Decider
from ehc.index.domain import Domain, Domains
from ehc.index.index_store import IndexStore
from ehc.index.weights import Model, Scorer, from_json


class Rules:
    """As they were at one moment."""

    def __init__(self, store: IndexStore) -> None:
        self.version = store.rules_version()
        self.domains = Domains(store.domains())
        self._trained = store.model()

    @cached_property
    def model(self) -> Model:
        return MODEL if self._trained is None else from_json(self._trained)

    @cached_property
    def decider(self) -> Decider:
        return Decider(Scorer(self.model), self.domains)


class Rulebook:
    """Raises Unavailable where the store does not answer."""

    def __init__(self, store: IndexStore) -> None:
        self._store = store
        self._rules: Rules | None = None

    def now(self) -> Rules:
        """In force now, whichever process registered a domain or trained a model."""
        if self._rules is None or self._rules.version != self._store.rules_version():
            self._rules = Rules(self._store)
        return self._rules

    def domain(self, code: str) -> Domain:
        """One that was there stays as it is: the store is asked for those that were not. Raises NotFound."""
        if self._rules is None or code not in self._rules.domains:
            return self.now().domains.get(code)
        return self._rules.domains.get(code)
