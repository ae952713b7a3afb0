"""A population of invented people of China and what hospitals wrote of them: seeded, so that a seed is a population.

Nobody in it is anybody: numbers have sound check characters and region codes that no region has (90…). Households share
address and sometimes a phone; there are twins, newborns without a name, people of minorities, of compound surnames and
from abroad, and the rates at which registration desks err stand in `Rates`, each named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from ehc.cards.identity import check_character
from ehc.index.generated_names import COMPOUND, GIVEN, HOMOPHONES, MINORITY, OLD_FORMS, ROADS, SURNAMES, WESTERN
from ehc.index.lines import Line

HOSPITALS = 40
TODAY = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares. Of persons: the first three. Of duplicates: the rest, each by itself."""

    duplicates: float = 0.15
    twins: float = 0.012  # of households with children
    newborns: float = 0.004
    number_missing: float = 0.05
    number_mistyped: float = 0.005  # one digit; its check character tells
    number_of_relative: float = 0.0005  # somebody else of the household
    number_old: float = 0.03  # 15 digits, where the person is old enough
    insured: float = 0.75  # whose social-security card was shown
    name_homophone: float = 0.006  # the input method offered another character
    name_mistyped: float = 0.001  # another character altogether
    name_changed: float = 0.0005
    character_missing: float = 0.003  # ? or a private-use character
    old_form: float = 0.005  # 張 for 张
    phone_changed: float = 0.12
    phone_missing: float = 0.08
    moved: float = 0.10
    address_written_otherwise: float = 0.2
    address_missing: float = 0.1
    birth_date_mistyped: float = 0.005
    sex_wrong: float = 0.002


@dataclass(slots=True)
class _Person:
    truth: int
    name: str
    sex: str
    born: date
    phone: str
    address: str
    identifiers: dict[str, str]
    mother: str = ""
    mother_document: str = ""
    birth_order: str = ""


class Population:
    """rows(): the first records of all persons, each followed by its duplicates where it has any, shuffled by block."""

    def __init__(self, persons: int, seed: int, rates: Rates | None = None) -> None:
        self._wanted, self._rates = persons, rates or Rates()
        self._random = Random(seed)  # noqa: S311  a population, no secret
        self._serials: dict[str, int] = {}
        self._count = 0

    def rows(self) -> Iterator[Line]:
        held: list[Line] = []
        while self._count < self._wanted:
            for person in self._household():
                held += self._records(person)
            if len(held) >= 50_000:
                self._random.shuffle(held)
                yield from held[25_000:]
                del held[25_000:]
        self._random.shuffle(held)
        yield from held

    # --- persons

    def _household(self) -> list[_Person]:
        random, rates = self._random, self._rates
        region = f"90{random.randrange(60):02}{random.randrange(1, 12):02}"
        address = self._address(region)
        surname, size = self._surname(), random.choices((1, 2, 3, 4), (30, 25, 30, 15))[0]
        grown = [self._grown(region, address, surname if i == 0 else self._surname(), i) for i in range(min(size, 2))]
        family = grown[:]
        if size > 2:
            children = 2 if random.random() < rates.twins else 0
            born = TODAY - timedelta(days=random.randrange(90, 18 * 365))
            for i in range(size - 2 if not children else 2):
                when = born if children else born - timedelta(days=700 * i)
                family.append(self._child(region, grown, when, str(i + 1) if children else ""))
            if random.random() < rates.newborns * 8:
                family.append(self._newborn(grown))
        return family[: max(1, self._wanted - self._count + len(family))]

    def _grown(self, region: str, address: str, surname: str, place: int) -> _Person:
        random = self._random
        born = date(1935, 1, 1) + timedelta(days=int(random.triangular(0, 26_000, 15_000)))
        sex = "12"[place] if random.random() < 0.9 else random.choice("12")
        kind = random.random()
        if kind < 0.006:
            name, numbers = random.choice(WESTERN), {"passport": self._passport()}
        elif kind < 0.05:
            name = f"{random.choice(MINORITY)}·{random.choice(MINORITY)}"
            numbers = {"resident-id": self._number(region, born, sex)}
        else:
            name, numbers = surname + self._given(), {"resident-id": self._number(region, born, sex)}
        if random.random() < 0.01:
            numbers["officer"] = f"{random.randrange(10**7):07}"
        return self._new((name, sex, born), self._phone(), address, numbers)

    def _child(self, region: str, grown: list[_Person], born: date, order: str) -> _Person:
        random, sex = self._random, self._random.choice("12")
        name = grown[0].name[:1] + self._given()
        phone = grown[-1].phone if random.random() < 0.8 else self._phone()
        child = self._new((name, sex, born), phone, grown[0].address, {"resident-id": self._number(region, born, sex)})
        child.mother, child.birth_order = grown[-1].name, order
        return child

    def _newborn(self, grown: list[_Person]) -> _Person:
        """No document but the birth certificate; known by its mother."""
        random = self._random
        born = TODAY - timedelta(days=random.randrange(1, 60))
        sex = random.choice("12")
        name = f"{grown[-1].name}之{'子' if sex == '1' else '女'}"
        numbers = {"birth-certificate": f"Z{random.randrange(10**9):09}"} if random.random() < 0.5 else {}
        child = self._new((name, sex, born), grown[-1].phone, grown[0].address, numbers)
        child.mother, child.birth_order = grown[-1].name, "1"
        child.mother_document = grown[-1].identifiers.get("resident-id", "")
        child.identifiers.pop("social-security", None)
        return child

    def _new(self, who: tuple[str, str, date], phone: str, address: str, numbers: dict[str, str]) -> _Person:
        self._count += 1
        numbers["social-security"] = f"C{self._count:09}"
        return _Person(self._count, *who, phone, address, numbers)

    # --- records

    def _records(self, person: _Person) -> Iterator[Line]:
        yield self._row(person)
        if self._random.random() < self._rates.duplicates:
            yield self._err(self._row(person), person)

    def _row(self, person: _Person) -> Line:
        random = self._random
        numbers = dict(person.identifiers)
        if random.random() > self._rates.insured:
            numbers.pop("social-security", None)
        if random.random() < 0.02:
            numbers.pop("resident-id", None)
        hospital = random.randrange(HOSPITALS)
        serial = self._serials[str(hospital)] = self._serials.get(str(hospital), 0) + 1
        born = person.born.isoformat()
        known = (person.name, person.sex, born, person.phone, person.address, person.mother, person.birth_order)
        own = (f"visit-card/G{hospital:02}", f"{serial:08}")
        return Line(*own, *known, person.mother_document, numbers, person.truth)

    def _err(self, row: Line, person: _Person) -> Line:
        self._err_in_number(row, person)
        self._err_in_name(row)
        happens, rates, random = self._happens, self._rates, self._random
        if happens(rates.phone_changed):
            row.phone = self._phone()
        elif happens(rates.phone_missing):
            row.phone = ""
        if happens(rates.moved):
            row.address = self._address(f"90{random.randrange(60):02}01")
        elif happens(rates.address_written_otherwise):
            row.address = row.address.replace("号楼", "栋").replace("单元", "-").removesuffix("室")
        elif happens(rates.address_missing):
            row.address = ""
        if happens(rates.birth_date_mistyped):
            row.birth_date = (
                date.fromisoformat(row.birth_date) + timedelta(days=random.choice((-10, -1, 1, 9)))
            ).isoformat()
        if happens(rates.sex_wrong):
            row.sex = "21"[int(row.sex) - 1]
        return row

    def _err_in_number(self, row: Line, person: _Person) -> None:
        number, happens, rates = row.identifiers.get("resident-id", ""), self._happens, self._rates
        if not number:
            return
        if happens(rates.number_missing):
            del row.identifiers["resident-id"]
        elif happens(rates.number_mistyped):
            at = self._random.randrange(6, 17)
            wrong = str((int(number[at]) + self._random.randrange(1, 10)) % 10)
            row.identifiers["resident-id"] = number[:at] + wrong + number[at + 1 :]
        elif happens(rates.number_of_relative):
            row.identifiers["resident-id"] = self._number("900101", person.born - timedelta(days=9000), "1")
        elif happens(rates.number_old) and number[6:8] == "19" and number[14:17] < "996":
            row.identifiers["resident-id"] = number[:6] + number[8:17]
        elif number.endswith("X") and happens(0.3):
            row.identifiers["resident-id"] = number.lower()

    def _err_in_name(self, row: Line) -> None:
        name, happens, rates, random = row.name, self._happens, self._rates, self._random
        if "·" in name:
            row.name = name.replace("·", random.choice(("·", "•", "．", "", "・", " ")))
        elif name.isascii():
            row.name = name.title() if happens(0.3) else name
        elif happens(rates.name_homophone):
            row.name = _other(name, len(name) - 1, HOMOPHONES, random)
        elif happens(rates.name_mistyped):
            row.name = name[:-1] + random.choice(GIVEN)
        elif happens(rates.name_changed):
            row.name = name[:1] + self._given()
        elif happens(rates.character_missing) and len(name) > 2:
            row.name = name[:-1] + random.choice("?＊□\ue863")
        elif happens(rates.old_form):
            row.name = "".join(OLD_FORMS.get(one, one) for one in name)

    def _happens(self, share: float) -> bool:
        return self._random.random() < share

    # --- values

    def _surname(self) -> str:
        random = self._random
        if random.random() < 0.003:
            return random.choice(COMPOUND)
        return random.choices(SURNAMES, cum_weights=_SURNAME_WEIGHTS)[0]

    def _given(self) -> str:
        random = self._random
        first = random.choices(GIVEN, cum_weights=_GIVEN_WEIGHTS)[0]
        if random.random() < 0.15:
            return first
        return first + random.choices(GIVEN, cum_weights=_GIVEN_WEIGHTS)[0]

    def _phone(self) -> str:
        return f"1{self._random.choice('3456789')}{self._random.randrange(10**9):09}"

    def _address(self, region: str) -> str:
        random = self._random
        road, house = random.choice(ROADS), random.randrange(1, 400)
        block, stair, floor, door = (random.randrange(1, most) for most in (30, 5, 30, 5))
        return f"第{region[2:4]}市{region[4:]}区{road}{house}号{block}号楼{stair}单元{floor}{door:02}室"

    def _passport(self) -> str:
        return f"{self._random.choice('CEGHKLP')}{self._random.randrange(10**8):08}"

    def _number(self, region: str, born: date, sex: str) -> str:
        """Unique: the order code counts up within region, day and sex; when it is full, in a further region."""
        day = f"{born:%Y%m%d}"
        while True:
            key = region + day + sex
            serial = self._serials[key] = self._serials.get(key, -1) + 1
            if serial < 490:
                break
            region = f"90{self._random.randrange(60):02}{self._random.randrange(12, 99):02}"
        digits = f"{region}{day}{serial * 2 + (1 if sex == '1' else 2):03}"
        return digits + check_character(digits)


def _other(name: str, at: int, choices: dict[str, str], random: Random) -> str:
    """The character at a place, as one of those that sound alike."""
    return name[:at] + random.choice(choices.get(name[at], name[at])) + name[at + 1 :]


def _falling(count: int, from_: float) -> list[float]:
    """Cumulated shares that fall as those of names do."""
    total, sums = 0.0, []
    for i in range(count):
        total += 1 / (i + from_)
        sums.append(total)
    return sums


_SURNAME_WEIGHTS = _falling(len(SURNAMES), 8)
_GIVEN_WEIGHTS = _falling(len(GIVEN), 30)
