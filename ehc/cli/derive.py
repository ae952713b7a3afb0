"""ehc derive: card ids for a file of people, of any size, in constant memory, continued after a crash."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc import config
from ehc.cli.keys import Folder, PassphraseFile, passphrase_source
from ehc.cli.long_run import bar, explaining
from ehc.errors import InputError
from ehc.ports import KeyService
from ehc.store.derivation_run import Job, opened
from ehc.store.people_files import STANDARD_STREAM, Encoding, Format, format_of
from ehc.store.run_journal import Progress, beside
from ehc.wiring.keys import open_machine

OUTPUT_COLUMNS = {"line", "mindex", "card_id"}


def derive(  # noqa: PLR0917  the command line, not called from code
    people: Annotated[Path, typer.Argument(metavar="PEOPLE", help="CSV or Parquet file; - is standard input.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="CARDS", help="CSV or Parquet file; - is standard output.")
    ],
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Refused rows: line, column, reason; default: CARDS.rejects.csv."),
    ] = None,
    keep: Annotated[str, typer.Option(metavar="COL,COL", help="Columns of PEOPLE to copy through.")] = "",
    mindex: Annotated[
        bool,
        typer.Option(help="The mindex is an unkeyed hash of personal data, internal: leave it out where you can."),
    ] = True,
    encoding: Annotated[Encoding, typer.Option(help="Encoding of a CSV file of people.")] = Encoding.UTF_8,
    stream_format: Annotated[
        Format, typer.Option("--format", help="Format of a standard stream; files tell by suffix.")
    ] = Format.CSV,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a row was refused.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace CARDS and the rejects file if they exist.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Throw an interrupted run away, begin anew.")] = False,
    block: Annotated[int, typer.Option(metavar="KIB", min=1, max=1 << 18, help="KiB read at a time.")] = 2048,
    checkpoint: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="A crash costs that much work on a CSV file; 0: one block.")
    ] = 0.5,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Derive mindex (主索引ID) and card id (电子健康卡ID) of many people.

    PEOPLE has the columns id_type, id_number, name (证件类型, 证件号码, 姓名);
    others are ignored. CARDS gets, in the same order: line (of PEOPLE; in Parquet
    the row, from 1), the columns of --keep, mindex, card_id. Refused rows go to
    the rejects file, without what was in them; the other rows are done.

    The active security_key of the keyring is used. A run that was killed is
    continued by the same command, without a row lost or doubled; one to Parquet,
    and one over standard streams, is begun anew by it. CARDS appears when it is
    whole. Files are made readable by their owner alone.

    \b
    Examples:
      ehc derive people.csv -o cards.csv
      ehc derive people.csv -o cards.parquet --keep ward,admitted --no-mindex
      zcat people.csv.gz | ehc derive - -o - --encoding gb18030 --strict > cards.csv
    """
    if people == STANDARD_STREAM == passphrase_file:
        raise typer.BadParameter("standard input cannot give both the people and the passphrase")
    settings = config.load(os.environ)
    if keyring:
        settings = msgspec.structs.replace(settings, keyring=str(keyring))
    job = Job(
        people=people,
        output=output,
        rejects=rejects or (None if output == STANDARD_STREAM else beside(output, ".rejects.csv")),
        keep=_columns(keep),
        mindex=mindex,
        padding=settings.padding,
        encoding=encoding,
        stream_format=stream_format,
        block_bytes=block << 10,
        checkpoint=checkpoint,
        force=force,
        restart=restart,
    )
    _refuse_one_file_twice(job)
    keys = open_machine(settings, passphrase_source(passphrase_file))
    refused = _run(job, keys)
    if strict and refused:
        raise InputError(f"{refused:,} rows were refused{f': see {job.rejects}' if job.rejects else ''}")


def _columns(keep: str) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in keep.split(",") if column.strip())
    if len(set(columns)) < len(columns) or OUTPUT_COLUMNS & set(columns):
        raise typer.BadParameter(f"--keep names a column twice, or one of {', '.join(sorted(OUTPUT_COLUMNS))}")
    return columns


def _refuse_one_file_twice(job: Job) -> None:
    files = [path.absolute() for path in (job.people, job.output, job.rejects) if path and path != STANDARD_STREAM]
    if len(set(files)) < len(files):
        raise typer.BadParameter("PEOPLE, CARDS and the rejects file must be different files")


def _run(job: Job, keys: KeyService) -> int:
    """Do the job and say so on standard error; returns how many rows were refused."""
    started = time.perf_counter()
    in_bytes = format_of(job.people, job.stream_format) is Format.CSV
    with explaining(job.output, job.way_on), opened(job, keys) as run:
        progress = run.done
        with bar(run, in_bytes=in_bytes) as show:
            for progress in run:
                show(progress)
    _report(job, keys, run.done.rows, progress, time.perf_counter() - started)
    return progress.rows - progress.cards


def _report(job: Job, keys: KeyService, earlier: int, progress: Progress, seconds: float) -> None:
    refused = progress.rows - progress.cards
    where = f" (see {job.rejects})" if refused and job.rejects else ""
    before = f", {earlier:,} of the rows by an earlier run" if earlier else ""
    typer.echo(
        f"{progress.rows:,} rows: {progress.cards:,} cards, {refused:,} refused{where}{before}; "
        f"{seconds:.2f} s, {(progress.rows - earlier) / seconds:,.0f} rows/s; "
        f"security key version {keys.security_key_version}, check value {keys.security_key_check_value}",
        err=True,
    )
