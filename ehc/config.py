"""Settings: one TOML file, every value overridable by EHC_<NAME>. An unknown name or a malformed value is refused.

Keys and passphrases are no settings: they live in the sealed keyring (`ehc keys init`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect

from ehc.errors import ConfigError

DEFAULT_HOME = "~/.local/share/ehc"
OF_LIBRARIES = {"EHC_ISA", "EHC_SDF_HOME", "EHC_SDF_KEY", "EHC_LIBCRYPTO"}
"""EHC_ISA forces a tier of the compiled core; the others tell our GM/T 0018 library where it keeps and finds things."""
NOT_SETTINGS = OF_LIBRARIES | {"EHC_CONFIG"}
"""EHC_CONFIG names the TOML file."""

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Scene = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$", max_length=6)]
DO_FAILURES = (
    "app", "signature", "time", "replay", "forbidden", "too_many",
    "method", "version", "mode", "input", "not_found", "conflict", "refused",
)  # fmt: skip
"""Names of what profile do answers beside success."""

REGISTRY = "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
ReturnCode = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(DO_FAILURES)})=[0-9A-Za-z_-]{{1,16}}$")]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The effective settings; △ marks a choice the standard leaves open."""

    home: str = DEFAULT_HOME  # folder for what has no place of its own below
    keyring: str = ""  # folder of the sealed keyring; default: HOME/keyring
    database: str = ""  # SQLAlchemy URL; default: sqlite in HOME
    redis: str = ""  # redis://, rediss://, redis+cluster:// URL, for several hosts; default: files in HOME, for one
    redis_gone: Literal["refuse", "degrade"] = "refuse"  # △ degrade: accept, and say so, where codes serve often
    machine: Literal["software", "tcp", "gmt0018"] = "software"  # who holds the keys: this process, or a crypto machine
    machine_address: str = ""  # needed by machine tcp: HOST:PORT of what speaks the host protocol
    machine_connections: Positive = 4  # to it at most, a worker
    machine_depth: Positive = 1024  # frames on a connection without an answer
    machine_seconds: Positive = 5  # in which an answer must come
    machine_security_version: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0  # 0: the machine says it, as ours does
    machine_protection_versions: tuple[Annotated[int, msgspec.Meta(ge=1, le=255)], ...] = ()  # the one that seals first
    machine_library: str = ""  # needed by machine gmt0018: the vendor's library, by its path
    machine_vendor: Literal["standard2023", "standard2012", "ehc", "gmssl", "sansec"] = "standard2023"  # its dialect
    machine_keys: str = ""  # needed by machine gmt0018: file of the keys that it alone opens (ehc sdf enclose)
    machine_password_file: str = ""  # whose first line is the password of its private keys, where keys need one
    machine_pairs: tuple[Positive, ...] = ()  # its SM2 key pairs that sign: of version 1 first, the last one signs
    host: str = "127.0.0.1"  # address to listen on
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8480
    workers: Positive = 1  # processes of the service
    tls_certificate: str = ""  # PEM file, with its chain; default: plain HTTP
    tls_key: str = ""  # PEM file of its key, not encrypted
    otlp_endpoint: str = ""  # where traces go, such as http://127.0.0.1:4318/v1/traces; default: nowhere
    otlp_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0  # of the requests that no caller traces already
    body_seconds: Positive = 10  # in which a request's body must come
    idle_seconds: Positive = 30  # in which a request's head must come; an idle connection is closed after it
    caller_rate: Positive = 2000  # △ requests a second of a caller that has no rate of its own, on a host
    institution_rate: Positive = 2000  # △ of all callers of one institution together
    burst_seconds: Positive = 2  # △ so many seconds' worth of requests may come at once
    console_idle_seconds: Annotated[int, msgspec.Meta(ge=60, le=1800)] = 900  # unused, a session of an operator ends
    console_session_seconds: Annotated[int, msgspec.Meta(ge=300, le=43_200)] = 28_800  # and so it does after this
    console_second_factor: Literal["offered", "required"] = "offered"  # △ of operators
    console_behind_tls: bool = False  # operators reach the service through a proxy that speaks TLS
    padding: Literal["full", "minimal"] = "full"  # △ of the id before it becomes the card id
    token_time: Literal["expiry", "issue"] = "expiry"  # noqa: S105 △ what a token's time means
    validity_seconds: Positive = 300  # △ life of a dynamic code
    refresh_seconds: Positive = 60  # △ when an app shows a new one
    tolerance_seconds: NotNegative = 60  # △ how far two clocks may differ
    static_scenes: tuple[Scene, ...] = ("010101", "010102")  # △ where a static code is enough: 挂号, 诊断
    single_use_scenes: tuple[Scene, ...] = ("010105",)  # △ where a dynamic code serves once: 收费
    accept_profiles: tuple[Literal["N", "A", "E2", "E3"], ...] = ("N", "A", "E2")  # △ dynamic codes that are accepted
    issue_profile: Literal["N", "A", "E2", "E3"] = "N"  # △ that are made: national, card-bound, compact, signed
    bound_scenes: tuple[Scene, ...] = ()  # △ where a national dynamic code is not enough
    temporary_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 30  # △ longest life of a temporary card
    offline_seconds: Annotated[int, msgspec.Meta(ge=0, le=80_000)] = 14_400  # △ so old may a check be that was offline
    offline_drift_seconds: NotNegative = 300  # △ so wrong may the clock be of a terminal that was offline
    offline_scenes: tuple[Scene, ...] = ()  # △ where terminals without network accept signed codes (E3)
    offline_list_seconds: Positive = 86_400  # △ so long they may do so by one list of keys and revocations
    record_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 7  # △ so old may a use be when it is reported
    record_same_day: bool = False  # △ report uses on their day alone (family B), whatever record_days says
    label_font: str = ""  # file of a font with Chinese characters, for labels; default: where packages put one
    issuer: Annotated[int, msgspec.Meta(ge=0, le=999_999)] = 0  # GB/T 2260 code, in compact codes
    node: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0  # of this issuer, in compact codes
    index_cards: bool = True  # cards that are registered or changed become records of the master index, a moment later
    registry: Annotated[str, msgspec.Meta(pattern=REGISTRY)] = "local"  # code of this registry of physical cards
    national_registry: str = ""  # URL of the registry that is asked for cards that ours does not have; default: none
    national_registry_key_file: str = ""  # whose first line is the key that it wants
    national_registry_seconds: Positive = 3  # in which its answer must come
    accept_unissued: bool = False  # △ accept authentic codes that other systems issued
    profiles: tuple[Literal["do"], ...] = ()  # interfaces of the field served beside our own (web/profiles/README.md)
    do_versions: tuple[str, ...] = ()  # needed by profile do: versions that apps may name, such as V2.0.0
    do_empi: Literal["", "mindex", "withheld"] = ""  # needed by profile do: what stands in empi
    do_md5: bool = False  # apps may sign with MD5, as in old deployments
    do_window_seconds: Positive = 300  # △ so old or new may an app's timestamp be
    do_replay: Literal["head", "request"] = "head"  # △ accepted once; request: for apps with a constant nonceStr
    do_qr: Literal["text", "image"] = "text"  # △ what stands in qrCode: the code's text, or its PNG in base64
    do_codes: tuple[ReturnCode, ...] = ()  # △ the province's return codes, such as signature=1002
    sign_window_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 300  # △ so old or new may a signed request be
    legacy_signing: bool = False  # apps may sign by the digests of existing SDKs (ehc/sdkauth/README.md)
    licence_signer: Literal["keyring", "machine"] = "keyring"  # machine: SM2 keys that do not leave the crypto machine
    licence_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)] = 72  # △ life of a licence file
    sandbox: bool = False  # serve apps of the sandbox: invented people, in HOME/sandbox, under published keys
    explain_refusals: bool = False  # tell callers forged, unknown and expired apart; the log always does

    def __post_init__(self) -> None:
        missing = [name for name in ("do_versions", "do_empi") if "do" in self.profiles and not getattr(self, name)]
        if missing:
            raise ConfigError(f"setting {missing[0]} is missing: profile do needs it (web/profiles/README.md)")
        if self.machine == "tcp":
            self.machine_place()
        for name in ("machine_library", "machine_keys"):
            if self.machine == "gmt0018" and not getattr(self, name):
                raise ConfigError(f"setting {name} is missing: machine gmt0018 needs it (machine/README.md)")

    def home_path(self) -> Path:
        return Path(self.home).expanduser()

    def machine_place(self) -> tuple[str, int]:
        """Host and port of machine_address. Raises ConfigError."""
        host, _, port = self.machine_address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            said = f"{self.machine_address!r} is not HOST:PORT" if self.machine_address else "missing"
            raise ConfigError(f"setting machine_address is {said}: machine tcp needs it (machine/README.md)")
        return host.strip("[]"), int(port)

    def keyring_path(self) -> Path:
        return Path(self.keyring).expanduser() if self.keyring else self.home_path() / "keyring"

    def hot_path(self) -> Path:
        return self.home_path() / "hot"

    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home_path() / 'ehc.db'}"


def load(environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Defaults, then the file (or the one EHC_CONFIG names), then EHC_*. Raises ConfigError that names the setting."""
    if file is None and environ.get("EHC_CONFIG"):
        file = Path(environ["EHC_CONFIG"])
    values = _read(file) if file else {}
    known = set(Settings.__struct_fields__)
    for name in sorted(set(environ) - NOT_SETTINGS):
        if name.startswith("EHC_"):
            setting = _setting(name, known)
            values[setting] = _value(setting, environ[name])
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        where = f" (in {file} or EHC_*)" if file else ""
        raise ConfigError(f"setting refused: {error}{where}{_choices(str(error))}") from error


def _choices(error: str) -> str:
    """Those of the setting at whose path `$.name` the error is, where it has some."""
    name = error.rpartition("$.")[2].partition("[")[0].strip("`")
    kinds = {one.name: one.type for one in inspect.type_info(Settings).fields}  # type: ignore[attr-defined]
    kind = getattr(kinds.get(name), "item_type", kinds.get(name))
    return f"; there are {', '.join(map(str, kind.values))}" if isinstance(kind, inspect.LiteralType) else ""


def _setting(name: str, known: set[str]) -> str:
    setting = name.removeprefix("EHC_").lower()
    if setting not in known:
        raise ConfigError(f"{name}: no such setting; there are {', '.join(f'EHC_{k.upper()}' for k in sorted(known))}")
    return setting


def _value(setting: str, text: str) -> Any:
    field = Settings.__annotations__[setting]
    return [part.strip() for part in text.split(",") if part.strip()] if "tuple" in str(field) else text


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"settings file {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file {file} is not TOML: {error}") from error
