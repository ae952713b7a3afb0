"""Records as lines of a file (NDJSON), and what a store needs of each beside the record: its keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from ehc.errors import InputError, NotFound
from ehc.index.domain import MINDEX, Domains
from ehc.index.keys import all_keys, identifier_key
from ehc.index.record import FIELDS, Record, new_record


class Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What a source says of one person. identifiers: domain -> number. truth: who it is, of invented people."""

    source: str
    local_id: str
    name: str = ""
    sex: str = ""
    birth_date: str = ""
    phone: str = ""
    address: str = ""
    mother: str = ""
    birth_order: str = ""
    mother_document: str = ""
    identifiers: dict[str, str] = {}
    truth: int = 0


class Prepared(msgspec.Struct, frozen=True, array_like=True):
    """strong: the key of the record itself, then those of its sound strong numbers. keys: all."""

    record: Record
    strong: Sequence[int]
    keys: Sequence[int]


class Refused(msgspec.Struct, frozen=True, array_like=True):
    """A line that is no record. reason: without anything that it says."""

    number: int
    reason: str


_decode = msgspec.json.Decoder(Line).decode


def record_of(domains: Domains, line: Line) -> Record:
    """Raises InputError, NotFound for a domain that is not registered."""
    fields = {name: getattr(line, name) for name in FIELDS}
    numbers = line.identifiers.items()
    return new_record(domains, line.source, line.local_id, fields, numbers, mother_document=line.mother_document)


def strong_domains(domains: Domains) -> frozenset[str]:
    """Whose numbers say by themselves who it is; the mindex says what its document says."""
    return frozenset(one.code for one in domains if one.strong and one.code != MINDEX)


def prepare(record: Record, strong: Collection[str]) -> Prepared:
    numbers = (one for one in record.identifiers if one.sound and one.domain in strong)
    own = identifier_key(*record.key)
    return Prepared(record, [own, *(identifier_key(one.domain, one.value) for one in numbers)], all_keys(record))


def prepare_lines(domains: Domains, lines: Iterable[bytes], first: int) -> tuple[list[Prepared], list[Refused]]:
    """first: the number of the first line, for what is refused."""
    strong, done, refused = strong_domains(domains), [], []
    for number, line in enumerate(lines, first):
        try:
            done.append(prepare(record_of(domains, _decode(line)), strong))
        except (InputError, NotFound) as error:
            refused.append(Refused(number, str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused.append(Refused(number, f"no record: {error}"))
    return done, refused
