"""ehc registry: physical cards (实体居民健康卡) in bulk. Synchronising with other registries: registry_sync.py."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc.cli import registry_sync
from ehc.cli.database import ConfigFile, Database, settings_of
from ehc.cli.database import opened as desk
from ehc.cli.keys import Folder, PassphraseFile, passphrase_source
from ehc.cli.long_run import bar, explaining, keep_freed_memory
from ehc.config import Settings
from ehc.errors import InputError, NotFound
from ehc.model import CST
from ehc.registry.checking import CHINESE, checked
from ehc.registry.registry import UNKNOWN
from ehc.store.import_run import ImportJob, ImportRun, opened
from ehc.store.people_files import Encoding
from ehc.store.registry_files import SUFFIXES, Missing, RegistryFormat
from ehc.store.run_journal import Progress, beside
from ehc.wiring.keys import open_machine
from ehc.wiring.registries import open_national
from ehc.wiring.stores import open_registry, system_clock

app = typer.Typer(
    help="Registry of physical cards (注册管理): import its export, keep it alike with other registries.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(registry_sync.sync)
app.command("reconcile")(registry_sync.reconcile_)


@app.command("import")
def import_(  # noqa: PLR0917  the command line, not called from code
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Parquet or NDJSON; the suffix tells.")],
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Refused rows: line, column, reason; default: FILE.rejects.csv.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(metavar="CODE", help="Where the file has no column issuer.")] = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Where the file has no column version: its date, perhaps.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Registry that the export is of, without a column source; default: ours."),
    ] = None,
    encoding: Annotated[Encoding, typer.Option(help="Encoding of a CSV file.")] = Encoding.UTF_8,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a row was refused.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the rejects file if it exists.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin an interrupted run anew.")] = False,
    block: Annotated[
        int | None,
        typer.Option(
            metavar="KIB", min=1, max=1 << 16, help="KiB read at a time; default: 1024, into PostgreSQL 2560."
        ),
    ] = None,
    checkpoint: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="A crash costs that much work; 0: one block.")
    ] = 0.5,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Import a registry's export: its physical cards, and electronic cards for their holders.

    FILE has the columns number, id_type, id_number, name, state (卡号, 证件类型,
    证件号码, 姓名, 卡状态) and may have chip, issuer, version, source (芯片号,
    发卡机构, 版本, 来源); others are ignored. state: normal 正常, lost 挂失,
    cancelled 注销, being_made 制卡中, not_issued 未发放.

    A holder of a card that is normal or lost gets an electronic card, marked as
    made from the registry, or keeps the one that they have; one that was
    cancelled stays so. Refused rows go to the rejects file, without what was in
    them; the other rows are done. The same file again changes nothing. A run
    that was killed is continued by the same command.

    \b
    Examples:
      ehc registry import cards.csv --issuer 440100 --version 20261129
      ehc registry import cards.parquet --database postgresql://ehc@db.example/ehc
    """
    settings = settings_of(database, config_file)
    if keyring:
        settings = msgspec.structs.replace(settings, keyring=str(keyring))
    keys = open_machine(settings, passphrase_source(passphrase_file))
    key = f"version {keys.security_key_version}, check value {keys.security_key_check_value}, {settings.padding}"
    job = ImportJob(
        file=file,
        rejects=rejects or beside(file, ".rejects.csv"),
        missing=Missing(issuer, None if version is None else str(version), source or settings.registry),
        encoding=encoding,
        block_bytes=block and block << 10,
        checkpoint=checkpoint,
        force=force,
        restart=restart,
    )
    if job.rejects.absolute() == file.absolute():
        raise typer.BadParameter("FILE and the rejects file must be different files")
    lazy = open_registry(settings, keys, lazily=True)
    with lazy as registry, opened(job, registry, system_clock, key) as run:
        refused = _run(job, run)
    if strict and refused:
        raise InputError(f"{refused:,} rows are in {job.rejects}")


def _run(job: ImportJob, run: ImportRun) -> int:
    """Do the job and say so on standard error; returns how many rows were refused."""
    started, progress = time.perf_counter(), run.done
    keep_freed_memory()
    in_bytes = SUFFIXES[job.file.suffix.lower()] is not RegistryFormat.PARQUET
    with explaining(job.rejects, "the same command continues"), bar(run, in_bytes=in_bytes) as show:
        for progress in run:
            show(progress)
    _report(job, run, progress, time.perf_counter() - started)
    return progress.rows - progress.cards


def _report(job: ImportJob, run: ImportRun, progress: Progress, seconds: float) -> None:
    tally, earlier, refused = run.tally, run.done.rows, progress.rows - progress.cards
    where = f" (see {job.rejects})" if job.rejects.exists() else ""
    before = f", {earlier:,} of the rows by an earlier run" if earlier else ""
    typer.echo(
        f"{progress.rows:,} rows, {refused:,} refused{where}{before}; "
        f"{seconds:.2f} s, {(progress.rows - earlier) / seconds:,.0f} rows/s\n"
        f"this run: {tally['new']:,} physical cards new, {tally['newer']:,} changed, {tally['same']:,} the same, "
        f"{tally['older']:,} older than ours; {tally['electronic']:,} electronic cards made",
        err=True,
    )


@app.command()
def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="卡号")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """A physical card and what happened to it. The holder is masked.

    One that is not here is asked for at the national registry, where the
    settings name one (national_registry).

    \b
    Examples:
      ehc registry show 44A000000000001
    """
    settings, number = settings_of(database, config_file), checked("number", number)
    with desk(settings) as store:
        kept = store.registry.find(number)
        if kept is None:
            _show_national(settings, number)
            return
        card, holder = kept.card, kept.card.holder
        electronic = store.accounts.card_of_account(kept.account) if kept.account else None
        history = store.registry.history(number)
    typer.echo(
        f"{card.number}: {card.state.word} ({CHINESE[card.state]}), issued by {card.issuer}, version {card.version} of "
        f"{card.source}\nholder {holder.masked_name()}, {holder.id_type} {holder.masked_number()}; electronic card "
        f"{electronic.card_id if electronic else 'none'}"
    )
    for event in history:
        states = " -> ".join(state.word for state in (event.state_before, event.state_after) if state is not None)
        at = datetime.fromtimestamp(event.at, CST).isoformat()
        typer.echo(f"{at}  {event.kind}  {states}  {event.by}{f': {event.note}' if event.note else ''}")


def _show_national(settings: Settings, number: str) -> None:
    """Raises NotFound, Unavailable."""
    national = open_national(settings)
    if national is None:
        raise NotFound(UNKNOWN)
    with closing(national):
        found = national.find(number)
    typer.echo(
        f"not in this registry; the national one, {found.registry}, says:\n{found.number}: {found.state}, issued by "
        f"{found.issuer}, version {found.version} of {found.source}\n"
        f"holder {found.name}, {found.id_type} {found.id_number}"
    )
