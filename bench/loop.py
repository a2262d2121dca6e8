"""Measures the loop: real engine processes, a real PostgreSQL that waits for its disk, real SMTP on loopback.

    .venv/bin/python bench/loop.py             the whole table, about fifteen minutes
    .venv/bin/python bench/loop.py --quick     the same with small numbers
    .venv/bin/python bench/loop.py send ticks  some of its parts

    send     letters a second: claim, send, settle
    cycles   whole cycles a second: fire, enqueue, claim, send, settle
    late     how late timers fire
    frown    from a frown's commit to the first acceptance, with 10,000 open problems and a run of check-ins
    ticks    what a turn costs with many rows, compared with few

Database, engines and mail sinks share this machine; nothing leaves it. What happens to a loop that is killed,
frozen or cut off is measured by `bench/chaos.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from bench.mail.parts import Measure, measure_parts  # noqa: E402
from bench.mail.servers import Place  # noqa: E402
from bench.mail.table import Verdicts  # noqa: E402


def _send(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench import rounds  # why: needs Django set up

    for engines in (1, 2):
        rounds.measure_sending(place, verdicts, letters=5_000 if is_quick else 20_000, engines=engines)


def _cycles(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench import rounds  # why: needs Django set up

    for engines in (1, 2):
        rounds.measure_cycles(place, verdicts, duties=3_000 if is_quick else 10_000, engines=engines)


def _late(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench import rounds  # why: needs Django set up

    rounds.measure_lateness(place, verdicts, opened=10_000, a_second=50, seconds=10 if is_quick else 60)


def _frown(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench import rounds  # why: needs Django set up

    mails, seconds = (150_000, 10) if is_quick else (600_000, 40)
    rounds.measure_frowns(place, verdicts, opened=10_000, mails=mails, a_second=10, seconds=seconds)


def _ticks(place: Place, verdicts: Verdicts, is_quick: bool) -> None:
    from bench import ticks  # why: needs Django set up

    ticks.measure(place, verdicts, few=10_000, many=100_000 if is_quick else 1_000_000)


PARTS: dict[str, Measure] = {
    "send": _send,
    "cycles": _cycles,
    "late": _late,
    "frown": _frown,
    "ticks": _ticks,
}


def main() -> int:
    return measure_parts(PARTS, about=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
