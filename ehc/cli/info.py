"""`ehc info`: what is installed, which tier of the compiled core runs, and which settings are in effect."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

import ehc.crypto
from ehc import config
from ehc.errors import ConfigError, EhcError

X86 = {"aes", "avx", "avx2", "avx512bw", "avx512f", "avx512vbmi", "gfni", "pclmulqdq", "sha_ni", "vaes", "vpclmulqdq"}
AARCH64 = {"asimd", "sm3", "sm4", "sve"}
INSTRUCTIONS = X86 | AARCH64
"""CPU flags, as Linux spells them, that a tier could use."""


def versions() -> dict[str, str]:
    """ehc, Python and whatever of ehc's dependencies is installed, by the packages' own names."""
    found = {"ehc": metadata.version("ehc"), "python": platform.python_version()}
    for requirement in metadata.requires("ehc") or ():
        package, _, marker = requirement.partition(";")
        name = re.split(r"[^A-Za-z0-9._-]", package.strip(), maxsplit=1)[0]
        if "extra" not in marker:
            found[name] = metadata.version(name)
    return found


def processor() -> dict[str, Any]:
    """Model, cores this process may use, and the instruction sets that matter; no serial, no host name."""
    lines = _cpuinfo()
    flags = set(lines.get("flags", lines.get("Features", "")).split())
    model = lines.get("model name") or platform.processor() or platform.machine()
    stepping = [lines[key] for key in ("cpu family", "model") if key in lines]
    return {
        "model": model,
        "family_model": "-".join(stepping),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": sorted(flags & INSTRUCTIONS),
    }


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:  # not Linux
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def core() -> dict[str, Any]:
    """The compiled core: tiers in order of priority, the chosen one, whether EHC_ISA forced it, its compiler."""
    tiers = ehc.crypto.tiers()
    return {
        "compiled": [name for name, _ in tiers],
        "supported": [name for name, supported in tiers if supported],
        "chosen": ehc.crypto.tier(),
        "forced": "EHC_ISA" in os.environ,
        "compiler": compiler(),
    }


def compiler() -> str:
    """What compiled the core, from the note that gcc and clang leave in the binary; "unknown" without one."""
    module = sys.modules["ehc._native"].__file__
    note = re.search(rb"GCC: \([^)\0]*\) [\d.]+|clang version [\d.]+", Path(module).read_bytes() if module else b"")
    return note[0].decode("ascii") if note else "unknown"


def settings(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every setting with its value and where it comes from; what a URL keeps secret is masked."""
    values = msgspec.to_builtins(config.load(environ))
    file = environ.get("EHC_CONFIG")
    in_file = tomllib.loads(Path(file).read_text("utf-8")) if file else {}
    return {name: {"value": masked(value), "source": _source(name, environ, in_file)} for name, value in values.items()}


def _source(name: str, environ: Mapping[str, str], in_file: Mapping[str, Any]) -> str:
    variable = f"EHC_{name.upper()}"
    if variable in environ:
        return variable
    return environ["EHC_CONFIG"] if name in in_file else "default"


def masked(value: Any) -> Any:
    """A URL without its password and without the values of its query; anything else as it is.

    Cuts at the last @ whatever stands before it, so that a badly escaped password is not shown in part.
    """
    if not isinstance(value, str) or "://" not in value:
        return value
    scheme, _, rest = value.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{colon}{'***' if colon else ''}{at}" + re.sub(r"([?&][^=&]*=)[^&]*", r"\1***", place)


def places(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Where keyring and database are; `exists` is None for a database that is no local file."""
    effective = config.load(environ)
    keyring = effective.keyring_path()
    scheme, _, path = effective.database_url().partition(":///")
    local = Path(path.partition("?")[0]) if scheme.startswith("sqlite") else None
    return {
        "keyring": {"path": str(keyring), "exists": keyring.exists()},
        "database": {"path": masked(effective.database_url()), "exists": None if local is None else local.exists()},
    }


def facts(environ: Mapping[str, str]) -> dict[str, Any]:
    """All that `ehc info` says. Refused settings leave `settings_error` in place of `settings` and `places`."""
    found = {"versions": versions(), "processor": processor(), "core": core()}
    try:
        return found | {"settings": settings(environ), "places": places(environ)}
    except EhcError as error:
        return found | {"settings_error": str(error)}


def info(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Print versions, tiers compiled, supported and chosen, the processor, and the effective settings."""
    found = facts(os.environ)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found)
    if "settings_error" in found:
        raise ConfigError(found["settings_error"])


def _print(found: Mapping[str, Any]) -> None:
    console = Console()
    for section in ("core", "processor", "versions", "places", "settings"):
        if section in found:
            console.print(_table(section, found[section]))


def _table(title: str, rows: Mapping[str, Any]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, title_style="bold")
    for name, value in rows.items():
        cells = value.values() if isinstance(value, dict) else [value]
        table.add_row(name, *(_cell(cell) for cell in cells))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, bool | None):
        return {True: "yes", False: "no", None: "-"}[value]
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
