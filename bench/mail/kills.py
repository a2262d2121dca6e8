"""What a crash costs: the sender is killed again and again, and a relay is rude; every mail is counted."""

from __future__ import annotations

import random
import time

from bench.mail.database import fresh_database
from bench.mail.runs import (
    SenderProcess,
    counters,
    go,
    launch,
    sending,
    states,
    wait_until_sent,
)
from bench.mail.servers import Place, Sink, own_sink
from bench.mail.table import Verdicts, say

CONNECTIONS = 20
#: So much slower than this machine can, that a kill falls into the middle of something.
ROUND_TRIP, PROCESSING = 2, 5
SECONDS = 600


def measure(place: Place, verdicts: Verdicts, *, mails: int, kills: int, rude: int) -> None:
    """`kills` SIGKILLs in `mails`; then `rude` mails with 421 every 100, and with 451 for 5 %."""
    _kill(place, verdicts, mails, kills)
    with own_sink(place.folder, log=True, close_every=100) as sink:
        _be_rude(place, sink, rude)
    _judge(verdicts, sink, rude, f"421 every 100 mails ({sink.counts['closed_by_us']:,} of them)")
    with own_sink(place.folder, log=True, defer_share=0.05) as sink:
        _be_rude(place, sink, rude)
    _judge(verdicts, sink, rude, f"451 to 5 % ({sink.counts['deferred']:,} of them)")


def _judge(verdicts: Verdicts, sink: Sink, mails: int, what: str, allowed: int = 0) -> None:
    different, repeats, changed = sink.repeats()
    recipients = len({mail[2] for mail in sink.accepted()})
    words = f"{mails - different} lost, {repeats} repeated" + (f", {changed} changed" if changed else "")
    target = f"0 lost, <= {allowed:,} repeated" if allowed else "0 lost, 0 repeated"
    is_met = different == recipients == mails and repeats <= allowed and not changed
    verdicts.judge(what, words, target, is_met)


def _kill(place: Place, verdicts: Verdicts, mails: int, kills: int) -> None:
    dice = random.Random(1)
    with (
        own_sink(place.folder, log=True, rtt=ROUND_TRIP, processing=PROCESSING) as sink,
        fresh_database(place) as connection,
    ):
        launch(connection, mails)
        sender = SenderProcess(place, f"smtp://127.0.0.1:{sink.port}?connections={CONNECTIONS}")
        began, killed = time.perf_counter(), 0
        go(connection)
        try:
            while killed < kills:
                sender.start()
                _wait_for_more(sink, sender)
                time.sleep(dice.uniform(0.05, 0.5))
                if counters(connection).on_their_way == 0:
                    break
                sender.kill()
                killed += 1
            if killed == kills:
                sender.start()
            wait_until_sent(connection, mails, seconds=SECONDS)
        finally:
            sender.stop()
        after, rows = counters(connection), states(connection)
    seconds = time.perf_counter() - began
    say(f"{mails:,} mails, {killed} kills, {seconds:.0f} s; the run counted {after.ambiguous} unclear, "
        f"{after.repeated} sent again; rows {rows}")  # fmt: skip
    what = f"{killed} SIGKILLs, {CONNECTIONS} connections, {mails:,} mails"
    _judge(verdicts, sink, mails, what, allowed=killed * CONNECTIONS)
    verdicts.judge("kills as intended", str(killed), str(kills), killed == kills)


def _wait_for_more(sink: Sink, sender: SenderProcess) -> None:
    """Wait until the sink took a mail of the sender that was just started."""
    assert sink.log is not None
    size, deadline = sink.log.stat().st_size, time.monotonic() + 60
    while sink.log.stat().st_size == size:
        if time.monotonic() > deadline:
            raise SystemExit(f"a restarted sender sent nothing for a minute: {sender.words()}")
        time.sleep(0.01)


def _be_rude(place: Place, sink: Sink, mails: int) -> None:
    """Send everything; what was deferred is due at once, for nobody wants to wait five minutes."""
    with fresh_database(place) as connection:
        launch(connection, mails)
        with sending(place, connection, sink.port, connections=CONNECTIONS):
            go(connection)
            deadline = time.monotonic() + SECONDS
            while counters(connection).on_their_way:
                if time.monotonic() > deadline:
                    raise SystemExit(f"not finished: {counters(connection)}, {states(connection)}")
                time.sleep(0.25)
                connection.execute("UPDATE bulk_delivery SET next_at = now() WHERE state = 'deferred'")
        after, rows = counters(connection), states(connection)
    if rows != {"sent": mails} or after.sent != mails:
        raise SystemExit(f"the rows are wrong: {after}, {rows}")
