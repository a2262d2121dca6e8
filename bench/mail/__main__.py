"""`python -m bench.mail`: see the package."""

from __future__ import annotations

import sys

from bench.mail.parts import Measure, measure_parts
from bench.mail.servers import Place
from bench.mail.table import Verdicts


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


MEASURES: dict[str, Measure] = {
    "send": _send,
    "distance": _distance,
    "kills": _kills,
    "inbound": _inbound,
    "interference": _interference,
}


def main() -> int:
    return measure_parts(
        MEASURES, about=sys.modules["bench.mail"].__doc__ or "", program="python -m bench.mail"
    )


if __name__ == "__main__":
    sys.exit(main())
