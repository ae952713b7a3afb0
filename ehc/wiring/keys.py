"""Who holds the keys: the machine of the settings, and what else is made of the keyring."""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ehc.config import Settings
from ehc.crypto.host import OPERATIONS
from ehc.errors import ConfigError
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.audit import Actor, Role
from ehc.keys.authority import KeyringAuthority
from ehc.keys.duties import Duty
from ehc.keys.keyring import Keyring
from ehc.machine.block_audit import BlockAudit
from ehc.machine.gmt0018 import Device, Library, MachineError
from ehc.machine.gmt0018_kept import KeptKeys, generation, read_kept
from ehc.machine.gmt0018_keys import Gmt0018Machine, MachineKeys
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_pool import LinePool
from ehc.machine.host_text import HostVersions
from ehc.machine.selftest import SelfTest
from ehc.machine.software import SoftwareMachine
from ehc.machine.tally import Audit, Tally
from ehc.machine.tcp import TcpMachine
from ehc.machine.watch import KeyringWatch
from ehc.ports import Capability, KeyService
from ehc.sdkauth.authority import Authority, MachineAuthority
from ehc.store.keyring_folder import KeyringFolder

if TYPE_CHECKING:
    from ehc.machine.host_server import HostServer, Network


def keyring_folder(settings: Settings) -> KeyringFolder:
    """The folder of the sealed keyring, there or not."""
    return KeyringFolder(settings.keyring_path())


def open_machine(settings: Settings, passphrase: Callable[[], str] | None = None) -> KeyService:
    """The crypto machine of the settings; of the software machine the keys' raw bytes are wiped before this returns.

    passphrase: asks for it; called only when the keyring is sealed under one. Raises KeyringError.
    """
    if settings.machine == "tcp":
        return _tcp_machine(settings)
    machine: SoftwareMachine | Gmt0018Machine
    if settings.machine == "gmt0018":
        machine, (_, take_over) = _gmt0018_machine(settings)
        take_over()
    else:
        with keyring_folder(settings).open(passphrase) as keyring:
            machine = SoftwareMachine.of(keyring)
    weakref.finalize(machine, _audited(settings, machine.tally).end)  # when the process ends in order, at the latest
    return machine


def _audited(settings: Settings, tally: Tally) -> Audit:
    """What is done from now on stands in the audit log of the keyring. Raises KeyringError."""
    log, actor = keyring_folder(settings).audit, Actor("ehc", Role.OPERATOR)
    return Audit(tally, lambda act, what: log.append(act, dict(what), actor))


def _tcp_machine(settings: Settings) -> TcpMachine:
    pool = LinePool(
        settings.machine_place(), settings.machine_connections, settings.machine_depth, settings.machine_seconds
    )
    security, protection = settings.machine_security_version, settings.machine_protection_versions
    said = HostVersions(security, protection=protection[0] if protection else None, opening=protection)
    return TcpMachine(pool, said if security else None)


def _gmt0018_machine(settings: Settings) -> tuple[Gmt0018Machine, Watched]:
    """A machine behind a vendor's library, and the file of its keys, which it has not taken over yet.

    Raises ConfigError, KeyringError for a setting, a library or a key that cannot be used.
    """
    file = Path(settings.machine_keys).expanduser()
    pairs, password = dict(enumerate(settings.machine_pairs, 1)), _password(settings)
    library = Library(Path(settings.machine_library).expanduser(), settings.machine_vendor)
    try:
        machine = Gmt0018Machine(Device(library), MachineKeys.of(KeptKeys(keys=()), pairs, password))
    except MachineError as error:
        raise ConfigError(f"setting machine_library: {library.path} does not open its device: {error}") from error

    def renew() -> None:
        machine.take_over(MachineKeys.of(read_kept(file), pairs, password))

    return machine, (generation(file), renew)


def _password(settings: Settings) -> bytes:
    """The first line of the file that the settings name, which is its owner's alone."""
    if not settings.machine_password_file:
        return b""
    path = Path(settings.machine_password_file).expanduser()
    try:
        with open(path, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigError(f"setting machine_password_file: {path} is open to others: chmod 600 {path}")
            return file.readline().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(f"setting machine_password_file: {path}: {error.strerror}") from error


Watched = tuple[Callable[[], int], Callable[[], None]]
"""What gives another number whenever something was changed, and what takes it over as it is then."""


def _keyring(
    folder: KeyringFolder, passphrase: Callable[[], str] | None, *holders: Callable[[Keyring], None]
) -> Watched:
    """Each takes over the keyring. Raises KeyringError."""

    def renew() -> None:
        with folder.open(passphrase) as keyring:
            for take_over in holders:
                take_over(keyring)

    return lambda: folder.generation() if folder.sealed.exists() else 0, renew


def _watched(*watched: Watched) -> KeyringWatch:
    """All are taken over, now and whenever one of them is changed."""

    def generation() -> int:
        return hash(tuple(changed() for changed, _ in watched))

    def renew() -> None:
        for _, take_over in watched:
            take_over()

    known = generation()
    renew()
    return KeyringWatch(generation, renew, known)


def open_host(
    folder: KeyringFolder, passphrase: Callable[[], str], lines: int, networks: Sequence[Network]
) -> tuple[HostServer, Callable[[], None]]:
    """What `ehc machine serve` runs, with the keys as they are from one second to the next, and how it ends.

    Raises KeyringError, also when its start cannot be written to the audit log; Forbidden for who may not start it.
    """
    from ehc.machine.host_server import HostServer  # noqa: PLC0415  with asyncio, which no other command here needs

    keys, log = HostKeys(), folder.audit
    with folder.open(passphrase) as ring:
        who = folder.require(Duty.START, ring)
    actor = Actor(who.name, Role.OPERATOR)
    watch = _watched(_keyring(folder, passphrase, SelfTest(keys.refuse).take_over, keys.take_over))
    log.append("machine.start", {"networks": [str(network) for network in networks]}, actor)
    audit = BlockAudit(lambda act, what: log.append(act, dict(what), actor), keys.counts, OPERATIONS)

    def end() -> None:
        watch.close()
        audit.end()

    return HostServer(keys, lines, networks, audit.covers), end


class Opened(NamedTuple):
    """What a service has of keys."""

    keys: KeyService
    app_secrets: AppSecrets
    authority: Authority
    self_test: SelfTest | None = None  # None: the machine is elsewhere
    watch: KeyringWatch | None = None
    close: Callable[[], None] = lambda: None


def open_keys(settings: Settings, passphrase: Callable[[], str] | None) -> Opened:
    """The machine of a service, which notices within a second what is done to the keyring. With a machine elsewhere
    there need be none here: then apps have no secrets, and nothing is signed."""
    app_secrets, authority = AppSecrets(Keyring()), KeyringAuthority(Keyring())
    holders = [app_secrets.take_over, authority.take_over]
    ends, watched = ExitStack(), list[Watched]()
    keys: SoftwareMachine | Gmt0018Machine | TcpMachine
    tested = None
    if settings.machine == "tcp":
        keys = _tcp_machine(settings)
        ends.callback(keys.close)
    elif settings.machine == "gmt0018":
        keys, kept = _gmt0018_machine(settings)
        watched.append(kept)
        ends.callback(keys.close)
    else:
        keys = SoftwareMachine(None, None)
        tested = SelfTest(keys.refuse)
        holders = [tested.take_over, keys.take_over, *holders]
    _require_capabilities(settings, keys)
    if tested or keyring_folder(settings).sealed.exists():
        watched.append(_keyring(keyring_folder(settings), passphrase, *holders))
    watch = _watched(*watched) if watched else None
    if watch is not None:
        ends.callback(watch.close)
    if not isinstance(keys, TcpMachine):  # that one's are in the log of the machine
        audit = _audited(settings, keys.tally)
        audit.watch()
        ends.callback(audit.end)
    return Opened(keys, app_secrets, _signer(settings, keys, authority), tested, watch, ends.close)


_NEEDED = {
    "A": (Capability.BOUND,),
    "E2": (Capability.COMPACT,),
    "E3": (Capability.SIGN, Capability.COMPACT),  # the alias in it is that of a compact code
}


def _require_capabilities(settings: Settings, keys: KeyService) -> None:
    """Raises ConfigError for a profile that the machine has nothing for."""
    asked = [("issue_profile", settings.issue_profile), *(("accept_profiles", one) for one in settings.accept_profiles)]
    for name, profile in asked:
        for capability in _NEEDED.get(profile, ()):
            if capability not in keys.capabilities:
                raise ConfigError(
                    f"setting {name} names {profile}, for which machine {settings.machine} has no {capability}: "
                    f"leave {profile} out"
                )


def open_authority(settings: Settings, passphrase: Callable[[], str] | None = None) -> tuple[AppSecrets, Authority]:
    """What seals the keys of apps, and what signs licences and releases. Raises ConfigError, KeyringError."""
    with keyring_folder(settings).open(passphrase) as keyring:
        sealing, authority = AppSecrets(keyring), KeyringAuthority(keyring)
    if settings.licence_signer == "keyring":
        return sealing, authority
    return sealing, _signer(settings, open_machine(settings, passphrase), authority)


def _signer(settings: Settings, keys: KeyService, keyring: KeyringAuthority) -> Authority:
    """Who signs licences, releases and answers. Raises ConfigError for a machine that does not sign."""
    if settings.licence_signer == "keyring":
        return keyring
    if Capability.SIGN not in keys.capabilities:
        raise ConfigError(
            f"setting licence_signer names machine, and {settings.machine} has no {Capability.SIGN}: leave it out"
        )
    return MachineAuthority(keys, keyring)
