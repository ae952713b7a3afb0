"""Who holds the keys: the machine of the settings, and what else is made of the keyring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ehc.config import Settings
from ehc.errors import ConfigError
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.audit import Actor, Role
from ehc.keys.authority import KeyringAuthority
from ehc.keys.keyring import Keyring
from ehc.machine.host_audit import HostAudit
from ehc.machine.host_keys import HostKeys
from ehc.machine.host_pool import LinePool
from ehc.machine.host_server import HostServer, Network
from ehc.machine.host_text import HostVersions
from ehc.machine.selftest import SelfTest
from ehc.machine.software import SoftwareMachine
from ehc.machine.tcp import TcpMachine
from ehc.machine.watch import KeyringWatch
from ehc.ports import Capability, KeyService
from ehc.sdkauth.authority import Authority
from ehc.store.keyring_folder import KeyringFolder


def keyring_folder(settings: Settings) -> KeyringFolder:
    """The folder of the sealed keyring, there or not."""
    return KeyringFolder(settings.keyring_path())


def open_machine(settings: Settings, passphrase: Callable[[], str] | None = None) -> KeyService:
    """The crypto machine of the settings; of the software machine the keys' raw bytes are wiped before this returns.

    passphrase: asks for it; called only when the keyring is sealed under one. Raises KeyringError.
    """
    if settings.machine == "tcp":
        return _tcp_machine(settings)
    with keyring_folder(settings).open(passphrase) as keyring:
        return SoftwareMachine.of(keyring)


def _tcp_machine(settings: Settings) -> TcpMachine:
    pool = LinePool(
        settings.machine_place(), settings.machine_connections, settings.machine_depth, settings.machine_seconds
    )
    security, protection = settings.machine_security_version, settings.machine_protection_versions
    said = HostVersions(security, protection=protection[0] if protection else None, opening=protection)
    return TcpMachine(pool, said if security else None)


def _watched(
    settings: Settings, passphrase: Callable[[], str] | None, *holders: Callable[[Keyring], None]
) -> KeyringWatch:
    """Each takes over the keyring, now and whenever it is changed. Raises KeyringError."""
    folder = keyring_folder(settings)
    known = folder.generation() if folder.sealed.exists() else 0

    def renew() -> None:
        with folder.open(passphrase) as keyring:
            for take_over in holders:
                take_over(keyring)

    renew()
    return KeyringWatch(folder.generation, renew, known)


def open_host(
    settings: Settings, passphrase: Callable[[], str], lines: int, networks: Sequence[Network]
) -> tuple[HostServer, Callable[[], None]]:
    """What `ehc machine serve` runs, with the keys as they are from one second to the next, and how it ends.

    Raises KeyringError, also when its start cannot be written to the audit log.
    """
    keys, log, actor = HostKeys(), keyring_folder(settings).audit, Actor("ehc machine", Role.OPERATOR)
    watch = _watched(settings, passphrase, SelfTest(keys.refuse).take_over, keys.take_over)
    log.append("machine.start", {"networks": [str(network) for network in networks]}, actor)
    audit = HostAudit(lambda act, what: log.append(act, dict(what), actor), keys.counts)

    def end() -> None:
        watch.close()
        audit.end()

    return HostServer(keys, lines, networks, audit.covers), end


Opened = tuple[KeyService, AppSecrets, KeyringAuthority, SelfTest | None, KeyringWatch | None]


def open_keys(settings: Settings, passphrase: Callable[[], str] | None) -> Opened:
    """The machine of a service, which notices within a second what is done to the keyring. With a machine elsewhere
    there need be none here: then apps have no secrets, and nothing is signed."""
    app_secrets, authority = AppSecrets(Keyring()), KeyringAuthority(Keyring())
    holders = (app_secrets.take_over, authority.take_over)
    if settings.machine == "tcp":
        keys = _tcp_machine(settings)
        _require_capabilities(settings, keys)
        here = keyring_folder(settings).sealed.exists()
        return keys, app_secrets, authority, None, _watched(settings, passphrase, *holders) if here else None
    machine = SoftwareMachine(None, None)
    tested = SelfTest(machine.refuse)
    watch = _watched(settings, passphrase, tested.take_over, machine.take_over, *holders)
    return machine, app_secrets, authority, tested, watch


def _require_capabilities(settings: Settings, keys: KeyService) -> None:
    """Raises ConfigError for a profile that the machine has nothing for."""
    needed = {"A": Capability.BOUND, "E2": Capability.COMPACT}
    asked = [("issue_profile", settings.issue_profile), *(("accept_profiles", one) for one in settings.accept_profiles)]
    for name, profile in asked:
        if profile in needed and needed[profile] not in keys.capabilities:
            raise ConfigError(
                f"setting {name} names {profile}, for which machine {settings.machine} has no {needed[profile]}: "
                f"leave {profile} out"
            )


def open_authority(settings: Settings, passphrase: Callable[[], str] | None = None) -> tuple[AppSecrets, Authority]:
    """What seals the keys of apps, and what signs licences and releases. Raises KeyringError."""
    with keyring_folder(settings).open(passphrase) as keyring:
        return AppSecrets(keyring), KeyringAuthority(keyring)
