from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ehc.cards.registration import Registrar
from ehc.config import Settings
from ehc.crypto import KeyHandle
from ehc.crypto.batch import Padding
from ehc.errors import IdentityError, KeyUnavailable
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Identity
from ehc.wiring import Stores, open_store

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
NOW = 1_767_225_600
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
MINDEX = bytes.fromhex("ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = open_store(Settings(home=str(tmp_path)))
    yield opened
    opened.close()


@pytest.fixture
def registrar(stores: Stores) -> Callable[..., Registrar]:
    def make(padding: Padding = "full", version: int = 1) -> Registrar:
        return Registrar(SoftwareMachine(KeyHandle(ROOT, "security_key", version), None), stores.cards, padding)

    return make


def test_the_sample_person_gets_the_published_card(registrar: Callable[..., Registrar]) -> None:
    card, new = registrar(version=7).register("01", "11010020171225006X", "电子健康卡", NOW)
    assert new
    assert (card.mindex, card.card_id, card.key_version) == (MINDEX, CARD, 7)
    assert (card.state, card.registered_at) == (AccountState.NORMAL, NOW)
    assert card.identity == Identity("01", "11010020171225006X", "电子健康卡")


def test_spellings_of_one_person_lead_to_one_card(registrar: Callable[..., Registrar]) -> None:
    first, _ = registrar().register("01", "11010020171225006X", "电子健康卡", NOW)
    assert registrar().register(" 01", "11010020171225006x ", "电子健康卡\u3000", NOW + 1) == (first, False)


def test_a_card_keeps_its_id_when_the_security_key_changes(registrar: Callable[..., Registrar], stores: Stores) -> None:
    first, _ = registrar().register("01", "11010020171225006X", "电子健康卡", NOW)
    later = Registrar(SoftwareMachine(KeyHandle(bytes(16), "security_key", 2), None), stores.cards)
    assert later.register("01", "11010020171225006X", "电子健康卡", NOW + 1) == (first, False)


def test_padding_is_the_deployment_s(registrar: Callable[..., Registrar], stores: Stores) -> None:
    card, _ = registrar("minimal").register("03", "E00000000", "TEST PERSON", NOW)
    assert card.card_id == "837C825FE117BE7F9031F42030F7AD7F"
    assert stores.cards.card(card.card_id) == card


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (("00", "E00000000", "TEST PERSON"), "id_type"),
        (("03", "E" * 31, "TEST PERSON"), "id_number"),
        (("03", "E00000000", ""), "name"),
    ],
)
def test_a_refused_document_names_its_field_and_makes_no_card(
    registrar: Callable[..., Registrar], person: tuple[str, str, str], field: str
) -> None:
    with pytest.raises(IdentityError) as refused:
        registrar().register(*person, NOW)
    assert refused.value.field == field


def test_without_a_security_key_nobody_is_registered(stores: Stores) -> None:
    with pytest.raises(KeyUnavailable):
        Registrar(SoftwareMachine(None, None), stores.cards).register("03", "E00000000", "TEST PERSON", NOW)
    assert stores.cards.card(CARD) is None
