"""Measuring in parts, each chosen by name: one command line for every bench that wants a fresh database."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import django

from bench.mail.database import environment, prepare
from bench.mail.servers import Place, program, temporary_place
from bench.mail.table import Verdicts, say

#: Measures one part in a place and judges it; the last argument: with small numbers.
Measure: TypeAlias = Callable[[Place, Verdicts, bool], None]


def measure_parts(parts: Mapping[str, Measure], *, about: str, command: str | None = None) -> int:
    """Measure the parts that the command line names, or all; 0 when every target is met."""
    parser = argparse.ArgumentParser(
        prog=command, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=(*parts, "all"), default="all", help="what to measure")
    parser.add_argument("--quick", action="store_true", help="small numbers, for a first look")
    wanted = parser.parse_args()
    verdicts = Verdicts()
    with temporary_place() as place:
        prepare(place)
        for name in [name for name in os.environ if name.startswith("SENTINEL_")]:
            del os.environ[name]
        os.environ.update(environment(place))
        django.setup()
        logging.getLogger("sentinel").setLevel(logging.WARNING)
        _introduce(place)
        for part in parts if "all" in wanted.parts else wanted.parts:
            say(f"\n== {part}")
            parts[part](place, verdicts, wanted.quick)
        verdicts.show()
    return 0 if verdicts.are_all_met else 1


def _seconds_to_disk(folder: Path, times: int = 200) -> float:
    """What a commit waits for here: one page to the disk and back."""
    descriptor = os.open(folder / "disk", os.O_WRONLY | os.O_CREAT)
    began = time.perf_counter()
    for _ in range(times):
        os.pwrite(descriptor, b"x" * 8192, 0)
        os.fdatasync(descriptor)
    os.close(descriptor)
    return (time.perf_counter() - began) / times


def _introduce(place: Place) -> None:
    """Say what machine this is."""
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    say(f"{at} UTC, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    say(f"Python {platform.python_version()}, {platform.platform()}")
    say(f"PostgreSQL embedded, fsync and synchronous_commit on, a page to the disk "
        f"{_seconds_to_disk(place.folder) * 1000:.2f} ms")  # fmt: skip
    if program("smtp-source") and program("smtp-sink"):
        say("sink: Postfix's smtp-sink where rates are compared, our own where mails are counted")
    else:
        say("Postfix's smtp-source or smtp-sink is missing (Debian: apt install postfix):")
        say("no floor is measured, and our own sink stands in for smtp-sink")
