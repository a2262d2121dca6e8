"""`python -m bench.mail`: see the package."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

from bench.mail.database import environment, prepare
from bench.mail.servers import Place, program, temporary_place
from bench.mail.table import Verdicts, say

PARTS = ("send", "distance", "kills", "inbound", "interference")


def _send(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench.mail import send  # why: needs Django set up

    if is_quick:
        send.measure(place, verdicts, sizes=(10_000, 50_000), floor=20_000, peer=2_000, exact=10_000)
    else:
        sizes = (10_000, 100_000, 1_000_000)
        send.measure(place, verdicts, sizes=sizes, floor=100_000, peer=5_000, exact=100_000)


def _distance(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench.mail import distance  # why: needs Django set up

    distance.measure(place, verdicts, mails=5_000 if is_quick else 30_000)


def _kills(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench.mail import kills  # why: needs Django set up

    if is_quick:
        kills.measure(place, verdicts, mails=12_000, kills=4, rude=10_000)
    else:
        kills.measure(place, verdicts, mails=60_000, kills=20, rude=20_000)


def _inbound(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench.mail import inbound  # why: needs Django set up

    inbound.measure(place, verdicts, mails=2_000 if is_quick else 10_000)


def _interference(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench.mail import interference  # why: needs Django set up

    if is_quick:
        interference.measure(place, verdicts, mails=200_000, seconds=8)
    else:
        interference.measure(place, verdicts, mails=600_000, seconds=30)


MEASURES: dict[str, Callable[[Place, Verdicts, bool], None]] = {
    "send": _send,
    "distance": _distance,
    "kills": _kills,
    "inbound": _inbound,
    "interference": _interference,
}


def _seconds_to_disk(folder: Path, times: int = 200) -> float:
    """What a commit waits for here: one page to the disk and back."""
    descriptor = os.open(folder / "disk", os.O_WRONLY | os.O_CREAT)
    began = time.perf_counter()
    for _ in range(times):
        os.pwrite(descriptor, b"x" * 8192, 0)
        os.fdatasync(descriptor)
    os.close(descriptor)
    return (time.perf_counter() - began) / times


def introduce(place: Place) -> None:
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


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mail", description=sys.modules["bench.mail"].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("parts", nargs="*", choices=(*PARTS, "all"), default="all", help="what to measure")
    parser.add_argument("--quick", action="store_true", help="small numbers, for a first look")
    wanted = parser.parse_args()
    verdicts = Verdicts()
    with temporary_place() as place:
        prepare(place)
        for name in [name for name in os.environ if name.startswith("SENTINEL_")]:
            del os.environ[name]
        os.environ.update(environment(place))
        django.setup()
        introduce(place)
        for part in PARTS if "all" in wanted.parts else wanted.parts:
            say(f"\n== {part}")
            MEASURES[part](place, verdicts, wanted.quick)
        verdicts.show()
    return 0 if verdicts.are_all_met else 1


if __name__ == "__main__":
    sys.exit(main())
