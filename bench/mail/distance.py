"""A relay far away: 20 ms round trip and 30 ms for each mail, on 50 connections."""

from __future__ import annotations

from bench.mail.send import send_run
from bench.mail.servers import Place, own_sink
from bench.mail.table import Verdicts, headings, row

ROUND_TRIP, PROCESSING, CONNECTIONS = 20, 30, 50
LEAST_A_SECOND = 900


def measure(place: Place, verdicts: Verdicts, *, mails: int) -> None:
    headings()
    with own_sink(place.folder, log=True, rtt=ROUND_TRIP, processing=PROCESSING) as sink:
        cost = send_run(place, sink, mails, connections=CONNECTIONS)
    what = f"{ROUND_TRIP} ms + {PROCESSING} ms, {CONNECTIONS} connections"
    rate = row(what, mails, cost)
    verdicts.judge(f"sent per second, {what}", f"{rate:,.0f}", f">= {LEAST_A_SECOND}", rate >= LEAST_A_SECOND)
