"""`sentinel runs`: check-ins on their way, from the command line."""

from __future__ import annotations

import csv
import shutil
import sys
import time
from datetime import datetime
from typing import TextIO

import click

from sentinel.bulk.errors import RunUnknown
from sentinel.bulk.models import Run
from sentinel.bulk.selectors import (
    LaneProgress,
    Progress,
    export_rows,
    lanes_of,
    progress_of,
    recent_runs,
    run_for,
    sender_state,
)
from sentinel.bulk.services import pause_all, pause_run, resume_all, resume_run
from sentinel.kernel import clock
from sentinel.ops.database import database_running
from sentinel.workflows.retry_deliveries import retry_deliveries
from sentinel.workflows.withdraw_deliveries import judge_waiting_again

_MOST_LANES = 30
_SECONDS_BETWEEN_LOOKS = 1.0
_reason = click.option("--reason", required=True, metavar="WORDS", help="Why; the next person reads it.")


@click.group("runs")
def command() -> None:
    """See, stop and repeat the runs of check-ins."""


@command.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
def list_runs(limit: int) -> None:
    """List the newest runs with their counts."""
    with database_running():
        runs = recent_runs(limit)
        if not runs:
            click.echo("Nothing was on its way yet.")
            return
        for run in runs:
            click.echo(_line(run, progress_of(run.pk, clock.now())))


@command.command("show")
@click.argument("run_id", metavar="RUN", type=int)
def show(run_id: int) -> None:
    """Show one run: its counts, and each recipient domain, those with trouble first."""
    with database_running():
        run, progress = _run(run_id), progress_of(run_id, clock.now())
        click.echo(_line(run, progress))
        for words in _remarks(progress):
            click.echo(words)
        for lane in lanes_of(run_id, _MOST_LANES):
            click.echo(_lane(lane))


@command.command("watch")
@click.argument("run_id", metavar="RUN", type=int, required=False)
def watch(run_id: int | None) -> None:
    """Follow a run, by default the newest, until it is through; Ctrl-C only stops watching."""
    with database_running():
        run = _run(run_id) if run_id is not None else next(iter(recent_runs(1)), None)
        if run is None:
            raise RunUnknown
        click.echo(run.name)
        is_terminal = sys.stdout.isatty()
        last = ""
        while True:
            progress = progress_of(run.pk, clock.now())
            line = bar(progress, clock.now(), width=shutil.get_terminal_size().columns)
            if is_terminal:
                click.echo(f"\r\x1b[K{line}", nl=False)
            elif line != last:
                click.echo(line)
            last = line
            if progress.is_over:
                break
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        click.echo("" if is_terminal else "Through.")


@command.command("pause")
@click.argument("run_id", metavar="RUN", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Stop every run, also those to come.")
@_reason
def pause(run_id: int | None, everything: bool, reason: str) -> None:
    """Stop a run within a second; what is on the wire is finished. Mail about problems goes on."""
    with database_running():
        if everything:
            pause_all(reason=reason, now=clock.now())
            click.echo("All check-ins stand still.")
        else:
            click.echo(
                f"{pause_run(run_id=_needed(run_id), reason=reason, now=clock.now()).name} stands still."
            )


@command.command("resume")
@click.argument("run_id", metavar="RUN", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Take back `pause --all`.")
def resume(run_id: int | None, everything: bool) -> None:
    """Let a run go on where it stood."""
    with database_running():
        judge_waiting_again(now=clock.now())
        if everything:
            resume_all(now=clock.now())
            click.echo("Check-ins go on.")
        else:
            click.echo(f"{resume_run(run_id=_needed(run_id), now=clock.now()).name} goes on.")


@command.command("retry")
@click.argument("run_id", metavar="RUN", type=int)
def retry(run_id: int) -> None:
    """Try a run's failed check-ins again, for everybody who may still be asked, at today's addresses."""
    with database_running():
        retried = retry_deliveries(run_id=run_id, now=clock.now())
    click.echo(f"{retried} check-ins are tried again.")


@command.command("export")
@click.argument("run_id", metavar="RUN", type=int)
@click.option(
    "--output",
    "-o",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    help="The file to write; standard output when it is left out.",
)
def export(run_id: int, output: TextIO) -> None:
    """Write the exact state of every recipient of a run as CSV."""
    with database_running():
        _run(run_id)
        writer = csv.writer(output)
        for row in export_rows(run_id):
            writer.writerow(row)


def bar(progress: Progress, now: datetime, *, width: int) -> str:
    """One line: how far, what became of the others, how fast, how long still."""
    share = progress.settled / progress.total if progress.total else 1.0
    words = [f"{progress.settled:,} of {progress.total:,}", f"{progress.sent:,} sent"]
    for name in ("deferred", "failed", "skipped"):
        count = getattr(progress, name)
        if count:
            words.append(f"{count:,} {name}")
    if progress.paused:
        words.append("stands still")
    elif progress.rate_per_minute:
        words.append(f"{progress.rate_per_minute:,.0f}/min")
        if progress.finished_at_estimate is not None:
            words.append(f"{_length((progress.finished_at_estimate - now).total_seconds())} left")
    said = ", ".join(words)
    cells = max(10, min(40, width - len(said) - 9))
    done = int(share * cells)
    return f"[{'#' * done}{'.' * (cells - done)}] {int(share * 100):3}% {said}"[: max(width - 1, 20)]


def _length(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


def _line(run: Run, progress: Progress) -> str:
    state = "through" if progress.is_over else "stands still" if progress.paused else "on its way"
    return (
        f"{run.pk:>6}  {run.name:<32} {state:<12} {progress.total:>9,} in all {progress.sent:>9,} sent"
        f" {progress.waiting:>9,} waiting {progress.deferred:>7,} deferred {progress.failed:>7,} failed"
        f" {progress.skipped:>7,} skipped"
    )


def _remarks(progress: Progress) -> list[str]:
    found = []
    if progress.paused and progress.paused_reason:
        found.append(f"Stopped: {progress.paused_reason}")
    if progress.ambiguous:
        found.append(
            f"A crash left {progress.ambiguous} unclear; {progress.repeated} of them went out again."
        )
    alive_at = sender_state().alive_at
    if not progress.is_over and not progress.paused and alive_at is None:
        found.append("No sender has run yet: `sentinel sender`")
    return found


def _lane(lane: LaneProgress) -> str:
    pace = "full speed"
    if lane.paused_at is not None:
        pace = f"stands still: {lane.paused_reason}"
    elif lane.pace_per_minute is not None:
        pace = f"slowed to {lane.pace_per_minute:g} a minute"
    elif lane.limit_per_minute is not None:
        pace = f"limited to {lane.limit_per_minute:g} a minute"
    return (
        f"        {lane.domain:<32} {lane.total:>9,} in all {lane.sent:>9,} sent {lane.waiting:>9,} waiting"
        f" {lane.deferred:>7,} deferred {lane.failed:>7,} failed  {pace}"
    )


def _run(run_id: int) -> Run:
    run = run_for(run_id)
    if run is None:
        raise RunUnknown
    return run


def _needed(run_id: int | None) -> int:
    if run_id is None:
        raise click.UsageError("name a RUN (see `sentinel runs list`), or say --all")
    return run_id
