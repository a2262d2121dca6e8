"""How fast a run leaves, beside a static blast and Django's own way; and whether every mail left once."""

from __future__ import annotations

from collections.abc import Sequence

from bench.mail import peers
from bench.mail.database import fresh_database
from bench.mail.meter import Cost, metered
from bench.mail.runs import CONNECTIONS, DECIDED, counters, go, launch, sending, states, wait_until_sent
from bench.mail.servers import Place, Sink, fast_sink, own_sink
from bench.mail.table import Verdicts, headings, row, say

LEAST_A_SECOND = 12_000
MOST_MEGABYTES = 100
TIMES_DJANGO = 12
#: The slowest size may be this much slower than the fastest and still count as flat.
FLAT = 0.85
A_SECOND_AT_WORST = 400


def send_run(
    place: Place, sink: Sink, mails: int, *, connections: int = CONNECTIONS, decided: int = DECIDED
) -> Cost:
    """One run of `mails` through the real sender into `sink`; raises SystemExit when a row is wrong."""
    with fresh_database(place) as connection:
        launched = launch(connection, mails, decided=decided)
        if decided == mails:
            row("deciding whom to ask, launching", mails, launched)
        with (
            sending(place, connection, sink.port, connections=connections) as sender,
            metered(sender=sender.pid, sink=sink.pid, postgres=place.postgres) as cost,
        ):
            began = go(connection)
            ended = wait_until_sent(connection, mails, seconds=60 + mails / A_SECOND_AT_WORST)
            cost.seconds = ended - began
        after, rows = counters(connection), states(connection)
        if rows != {"sent": mails} or after.sent != mails or after.ambiguous or after.repeated:
            raise SystemExit(f"the rows are wrong: {after}, {rows}")
    return cost


def sample(place: Place) -> bytes:
    """One real mail as it goes over the wire, for the floor."""
    with own_sink(place.folder, keep=True) as sink:
        send_run(place, sink, 100, connections=1)
        assert sink.keep is not None
        return sink.keep.read_bytes()


def measure(
    place: Place, verdicts: Verdicts, *, sizes: Sequence[int], floor: int, peer: int, exact: int
) -> None:
    """`sizes` of runs, mails of the floor, of the peer, and of the run that is counted mail by mail."""
    mail = sample(place)
    say(f"one of our mails: {len(mail):,} bytes on the wire")
    headings()
    blast, sessions = peers.measure_floor(place, mail, floor)
    with fresh_database(place):
        django = peers.measure_django(place, peer)
    rates, costs = [], []
    for mails in sizes:
        with fast_sink(place.folder) as sink:
            # Of the smallest run everybody is decided about by the product, to show what that takes.
            decided = mails if mails == sizes[0] else DECIDED
            costs.append(send_run(place, sink, mails, decided=decided))
        rates.append(row(f"Sentinel, {CONNECTIONS} connections", mails, costs[-1]))
    _count_exactly(place, verdicts, exact)
    largest = f"{sizes[-1]:,}"
    verdicts.judge(
        f"sent per second, {largest}",
        f"{rates[-1]:,.0f}",
        f">= {LEAST_A_SECOND:,}",
        rates[-1] >= LEAST_A_SECOND,
    )
    if blast:
        share = rates[-1] / blast
        verdicts.judge(
            f"beside the floor ({sessions})", f"{share:.2f} of {blast:,.0f}", ">= 1.00", share >= 1
        )
    times = rates[-1] / django
    verdicts.judge(
        "beside Django's own way", f"{times:.1f} x {django:,.0f}", f">= {TIMES_DJANGO}", times >= TIMES_DJANGO
    )
    most = max(cost.megabytes["sender"] for cost in costs)
    verdicts.judge(
        "memory of the sender", f"{most:.0f} MB", f"<= {MOST_MEGABYTES} MB", most <= MOST_MEGABYTES
    )
    if len(rates) > 1:
        flat = min(rates) / max(rates)
        words = f"{min(rates):,.0f} to {max(rates):,.0f}"
        verdicts.judge(
            f"flat from {sizes[0]:,} to {largest}", words, f">= {FLAT:.2f} of the best", flat >= FLAT
        )


def _count_exactly(place: Place, verdicts: Verdicts, mails: int) -> None:
    with own_sink(place.folder, log=True) as sink:
        cost = send_run(place, sink, mails)
    row("Sentinel, every mail counted", mails, cost)
    different, repeats, _ = sink.repeats()
    recipients = len({mail[2] for mail in sink.accepted()})
    words = f"{mails - different} lost, {repeats} repeated"
    is_exact = different == recipients == mails and not repeats
    verdicts.judge(f"exactness, {mails:,} without a kill", words, "0 lost, 0 repeated", is_exact)
