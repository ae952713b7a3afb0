"""What `ehc bench` measures: our ways of deriving and checking, beside the libraries that are installed here.

Laps go round: each times every contender of a job once, so that a slow moment of the machine hits all of them. A rate
is that of the quiet tenth percentile; a ratio is the median of the laps' ratios. Every answer is compared first.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module, metadata
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from ehc.cards.invented import people
from ehc.crypto import (
    Batch,
    CompactKey,
    KeyHandle,
    check_batch,
    check_compact_batch,
    check_token,
    derive_batch,
    make_compact_code,
    make_token,
    sm3,
    sm4_ecb_encrypt,
)

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")  # the published sample key
NOW = 1_800_000_000
ROWS = 100_000
BLOCK = bytes(range(256)) * 4096  # 1 MiB
OURS = "ehc"

Row = tuple[str, str, str]
Sm3 = Callable[[bytes], bytes]
Ecb = Callable[[bytes, bytes], bytes]
"""(key, whole blocks) -> blocks."""


class Peer(NamedTuple):
    """A library as its interface allows it to be used best."""

    name: str
    version: str
    share: int  # rows a run: enough for some 20 ms
    sm3: Sm3
    ecb: Ecb
    ecb_open: Ecb


def composed(rows: list[Row], key: bytes, sm3_of: Sm3, ecb: Ecb) -> list[str]:
    """Card ids of a list from a library's SM3 and SM4-ECB: one call for all blocks under the
    fixed key, the fold in numpy, one call a person for the two blocks under her own key."""
    digests = b"".join([sm3_of((a + b + c).encode()) for a, b, c in rows])
    factor = np.bitwise_xor.reduce(np.frombuffer(digests, np.uint64).reshape(-1, 4), axis=1, keepdims=True)
    keys = ecb(key, np.hstack([factor, ~factor]).tobytes())
    blocks = [(a + b).encode().ljust(32, b"\0") for a, b, _ in rows]
    ids = b"".join([ecb(keys[16 * i : 16 * i + 16], block) for i, block in enumerate(blocks)]).hex().upper()
    return [ids[i : i + 64] for i in range(0, len(ids), 64)]


def composed_check(texts: list[str], key: bytes, ecb_open: Ecb, oldest: str) -> list[bool]:
    """Which dynamic codes hold an authentic time not before `oldest` (YYYYMMDDhhmmss); all tokens in one call."""
    opened = ecb_open(key, bytes.fromhex("".join([text[67:99] for text in texts]))).hex()
    blocks = [opened[i : i + 32] for i in range(0, len(opened), 32)]
    return [block[14:] == _PADDING and block[:14].isdigit() and block[:14] >= oldest for block in blocks]


_PADDING = "0" * 18


def peers() -> Iterator[Peer]:
    """cryptography, which ehc needs anyway; tongsuopy and gmssl where they are installed."""
    yield _openssl_like("cryptography", "cryptography.hazmat.primitives", ".ciphers", 5_000)
    for load in (_tongsuo, _gmssl):
        try:
            yield load()
        except ImportError:
            continue


def _openssl_like(package: str, root: str, ciphers: str, share: int) -> Peer:
    hashes, cipher = import_module(f"{root}.hashes"), import_module(root + ciphers)
    fresh, mode = hashes.Hash(hashes.SM3()), cipher.modes.ECB()

    def sm3_of(data: bytes) -> bytes:
        context = fresh.copy()
        context.update(data)
        return bytes(context.finalize())

    def ecb(key: bytes, data: bytes) -> bytes:
        return bytes(cipher.Cipher(cipher.algorithms.SM4(key), mode).encryptor().update(data))

    def ecb_open(key: bytes, data: bytes) -> bytes:
        return bytes(cipher.Cipher(cipher.algorithms.SM4(key), mode).decryptor().update(data))

    return Peer(package, metadata.version(package), share, sm3_of, ecb, ecb_open)


def _tongsuo() -> Peer:
    return _openssl_like("tongsuopy", "tongsuopy.crypto", ".ciphers", 1_000)


def _gmssl() -> Peer:
    """Below its ECB mode, which would add a block."""
    hashing, cipher = import_module("gmssl.sm3"), import_module("gmssl.sm4")

    def run(direction: int, key: bytes, data: bytes) -> bytes:
        context = cipher.CryptSM4()
        context.set_key(key, direction)
        return b"".join(bytes(context.one_round(context.sk, data[i : i + 16])) for i in range(0, len(data), 16))

    def sm3_of(data: bytes) -> bytes:
        return bytes.fromhex(hashing.sm3_hash(list(data)))

    ecb, ecb_open = partial(run, cipher.SM4_ENCRYPT), partial(run, cipher.SM4_DECRYPT)
    return Peer("gmssl", metadata.version("gmssl"), 20, sm3_of, ecb, ecb_open)


class Contender(NamedTuple):
    """One way of doing a job on the first `items` of its items."""

    items: int
    run: Callable[[], Any]


def laps(contenders: dict[str, Contender], seconds: float) -> dict[str, list[float]]:
    """Items a second of each, lap by lap: three laps, and more while there is time."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rates[OURS]) < 3:
        for name, one in contenders.items():
            start = time.perf_counter()
            one.run()
            rates[name].append(one.items / (time.perf_counter() - start))
    return rates


def quiet(rates: list[float]) -> float:
    """The rate of the tenth of the laps that were disturbed least."""
    return float(np.quantile(rates, 0.9))


def summary(rates: dict[str, list[float]]) -> dict[str, Any]:
    """Contender -> its rate, and how many times faster ours is."""
    return {
        name: {
            "per_second": round(quiet(found)),
            "median": round(median(found)),
            "times": round(median(a / b for a, b in zip(rates[OURS], found, strict=True)), 2),
        }
        for name, found in rates.items()
    }


def jobs(seconds: float) -> dict[str, Any]:
    """Job -> unit and contenders, ours first."""
    rows, key, known = list(people(ROWS)), KeyHandle(KEY), list(peers())
    ids = derive_batch(rows, key).hex().card_id
    for peer in known:
        _same("card ids", peer.name, composed(rows[: peer.share], KEY, peer.sm3, peer.ecb), ids[: peer.share])
        _same("SM3", peer.name, peer.sm3(BLOCK[:4096]), sm3(BLOCK[:4096]))
        _same("SM4", peer.name, peer.ecb(KEY, BLOCK[:4096]), sm4_ecb_encrypt(key, BLOCK[:4096]))
    work = (
        ("card ids", "persons", _deriving(rows, key, known), 0.4),
        ("codes checked", "codes", _checking(ids[:20_000], key, known), 0.15),
        ("compact codes checked", "codes", _checking_compact(), 0.05),
        ("SM4-ECB", "bytes", _bulk(known, lambda: sm4_ecb_encrypt(key, BLOCK), lambda p: partial(p.ecb, KEY)), 0.2),
        ("SM3", "bytes", _bulk(known, lambda: sm3(BLOCK), lambda p: p.sm3), 0.2),
    )
    return {
        name: {"unit": unit, "contenders": summary(laps(contenders, seconds * part))}
        for name, unit, contenders, part in work
    }


def _deriving(rows: list[Row], key: KeyHandle, known: list[Peer]) -> dict[str, Contender]:
    batch = Batch.pack(rows)
    ours = {
        OURS: Contender(ROWS, lambda: derive_batch(batch, key)),
        "ehc, list of tuples": Contender(ROWS, lambda: derive_batch(rows, key)),
    }
    return ours | {
        peer.name: Contender(peer.share, partial(composed, rows[: peer.share], KEY, peer.sm3, peer.ecb))
        for peer in known
    }


def _checking(ids: list[str], key: KeyHandle, known: list[Peer]) -> dict[str, Contender]:
    texts = [f"{card_id}:0:{make_token(NOW + 300, key)}" for card_id in ids]
    oldest = (datetime.fromtimestamp(NOW - 60, UTC) + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    few = texts[: len(texts) // 10]
    _same("codes", OURS, bool(check_batch(texts, key, NOW).accepted.all()), True)
    found = {
        OURS: Contender(len(texts), lambda: check_batch(texts, key, NOW)),
        "ehc, one a call": Contender(len(few), lambda: [check_token(text, key, NOW) for text in few]),
    }
    for peer in known:
        mine = texts[: 2 * peer.share]
        run = partial(composed_check, mine, KEY, peer.ecb_open, oldest)
        _same("codes", peer.name, run(), [True] * len(mine))
        found[peer.name] = Contender(len(mine), run)
    return found


def _checking_compact() -> dict[str, Contender]:
    """No other library has such codes."""
    key = CompactKey(KEY)
    texts = [make_compact_code(key, account=i, issuer=110000, serial=i, issued_at=NOW) for i in range(20_000)]
    _same("compact codes", OURS, bool(check_compact_batch(texts, key, NOW).accepted.all()), True)
    return {OURS: Contender(len(texts), lambda: check_compact_batch(texts, key, NOW))}


def _bulk(
    known: list[Peer], ours: Callable[[], bytes], theirs: Callable[[Peer], Callable[[bytes], bytes]]
) -> dict[str, Contender]:
    found = {OURS: Contender(len(BLOCK), ours)}
    for peer in known:
        part = BLOCK if peer.share >= 1_000 else BLOCK[:4096]
        found[peer.name] = Contender(len(part), partial(theirs(peer), part))
    return found


def _same(job: str, who: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise ArithmeticError(f"{job}: {who} gives another answer than the rest; nothing was measured")


def curves(most: int, seconds: float) -> dict[str, list[list[float]]]:
    """[rows, persons/s] for one row to `most`, [threads, persons/s] at `most` into the same memory again and again,
    [rows, peak MiB of this process]."""
    key = KeyHandle(KEY)
    sizes = [10**i for i in range(9) if 10**i <= most]
    whole, cores = Batch.pack(list(people(ROWS))), len(os.sched_getaffinity(0))
    found: dict[str, list[list[float]]] = {"rows": [], "threads": [], "memory": []}
    part = seconds / (len(sizes) + cores)
    for size in sizes:
        batch = _batch(whole, size)
        found["rows"].append([size, _rate(size, partial(derive_batch, batch, key), part)])
        found["memory"].append([size, round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)])
    out = derive_batch(batch, key)
    for threads in range(1, cores + 1):
        rate = _rate(sizes[-1], partial(derive_batch, batch, key, threads=threads, out=out), part)
        found["threads"].append([threads, rate])
    return found


def _batch(whole: Batch, rows: int) -> Batch:
    """That many rows, those of `whole` again and again."""
    times = -(-rows // len(whole))
    if times == 1:
        return Batch(whole.data, whole.offsets[: rows + 1], whole.id_lengths[:rows])
    ends = (whole.offsets[1:][None, :] + whole.offsets[-1] * np.arange(times, dtype=np.uint32)[:, None]).ravel()
    offsets = np.concatenate([np.zeros(1, np.uint32), ends.astype(np.uint32)])[: rows + 1]
    return Batch(np.tile(whole.data, times), offsets, np.tile(whole.id_lengths, times)[:rows])


def _rate(items: int, run: Callable[[], Any], seconds: float) -> float:
    again = max(1, 1_000 // items)  # a call of one row is too short for the clock

    def several() -> None:
        for _ in range(again):
            run()

    return round(quiet(laps({OURS: Contender(items * again, several)}, seconds)[OURS]))


def tier_rate(seconds: float) -> float:
    """Persons a second from a packed batch on the tier of this process."""
    batch, key = Batch.pack(list(people(ROWS))), KeyHandle(KEY)
    return _rate(ROWS, lambda: derive_batch(batch, key), seconds)


def tiers(names: list[str], seconds: float) -> dict[str, float]:
    """tier_rate of each, one after another: a process chooses its tier once."""
    code = f"import json; from ehc.cli.measure import tier_rate; print(json.dumps(tier_rate({seconds / len(names)})))"
    found = {}
    for name in names:
        environ = {**os.environ, "EHC_ISA": name}
        ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
        found[name] = float(json.loads(ran.stdout))
    return found
