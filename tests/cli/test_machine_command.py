"""`ehc machine` as an operator runs it: real processes over a real keyring."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from host_ends import framed, read_frame, ring
from keyrings import NOW

from ehc.keys.keyring import Keyring, KeyState, Purpose, new_entry
from ehc.store.keyring_folder import KeyringFolder

DIGEST = framed(b"3C200003abc;00000000")
ANSWER = b"3D0032" + bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")


def ehc(home: Path, *words: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ehc.cli", "machine", *words],
        env=environment | {"EHC_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(home: Path, *words: str) -> tuple[int, str]:
    process = ehc(home, *words)
    return process.wait(), process.communicate()[0]


@pytest.fixture
def folder(tmp_path: Path) -> KeyringFolder:
    made = KeyringFolder(tmp_path / "keyring")
    with ring() as keyring:
        made.create(keyring)
    return made


def test_sigterm_answers_what_was_asked_and_ends_the_machine_in_order(folder: KeyringFolder, tmp_path: Path) -> None:
    with ehc(tmp_path, "serve", "--port", "0") as process:
        port = int(process.stdout.readline().split()[-1])
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as line:
            line.sendall(DIGEST * 1000)
            assert [read_frame(line) for _ in range(1000)] == [ANSWER] * 1000
            process.send_signal(signal.SIGTERM)
            assert line.recv(1) == b""
        assert process.wait(60) == 0
    acts = [(record.act, record.what.get("done")) for record in folder.audit.backwards("machine.stop", "machine.start")]
    assert acts == [("machine.stop", {"digest 0": 1000}), ("machine.start", None)]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--host", "0.0.0.0"), "say with --allow which networks may use the keys"),
        (("--host", "example"), "is no IP address"),
        (("--allow", "10.0.0.0/99"), "--allow"),
    ],
)
def test_what_it_cannot_serve_is_said(folder: KeyringFolder, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    found, shown = said(tmp_path, "serve", *words)
    assert (found, why in " ".join(shown.split())) == (6, True), shown


def test_a_port_that_is_taken_and_a_keyring_that_is_not_there_are_said(folder: KeyringFolder, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        code, shown = said(tmp_path, "serve", "--port", port)
        assert (code, f"cannot listen on 127.0.0.1 port {port}" in shown) == (8, True), shown
    folder.sealed.unlink()
    code, shown = said(tmp_path, "serve", "--port", "0")
    assert (code, "ehc keys init" in shown) == (5, True), shown


def test_the_self_test_on_demand_shows_every_check_and_stands_in_the_audit_log(
    folder: KeyringFolder, tmp_path: Path
) -> None:
    code, shown = said(tmp_path, "selftest")
    assert code == 0, shown
    for check in ("SM3", "SM4-GCM", "SM2 verify", "statistics of a million bits", "integrity of keys"):
        assert check in shown
    (record,) = folder.audit.backwards("machine.selftest", "machine.start")
    assert record.what["failed"] == ""


def test_a_key_that_is_not_whole_fails_the_self_test_by_name(tmp_path: Path) -> None:
    entry = new_entry(Purpose.MAC_KEY, 3, KeyState.ACTIVE, NOW, bytearray(range(16)))
    with Keyring([dataclasses.replace(entry, check_value="000000")]) as keyring:
        KeyringFolder(tmp_path / "keyring").create(keyring)
    code, shown = said(tmp_path, "selftest")
    assert (code, "mac_key version 3" in " ".join(shown.split())) == (8, True), shown
