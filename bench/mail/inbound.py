"""Mail that comes back: how many a second are committed, and how soon a frown by mail reaches its owner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import psycopg

from bench.mail.database import environment, fresh_database, sentinel
from bench.mail.meter import Cost, metered
from bench.mail.postman import Parcel, bring, reply
from bench.mail.runs import go, launch, sending, wait_until_sent
from bench.mail.servers import Place, free_port, own_sink, running, wait_for_port
from bench.mail.table import Verdicts, headings, row, say
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox

LEAST_A_SECOND = 500
LONGEST_SECONDS = 1.0
CONNECTIONS = 20
WORKERS = 200
FROWNS = 20
WORDS = ("All is well, thank you", "1", "Everything works, keep it up", "Alles gut, danke")
PROBLEM = "The printer on the second floor eats every page since Monday, please send somebody"


def measure(place: Place, verdicts: Verdicts, *, mails: int) -> None:
    headings()
    for protocol in ("smtp", "lmtp"):
        with fresh_database(place) as connection:
            _commit(place, connection, verdicts, protocol, mails)  # type: ignore[arg-type]
    with fresh_database(place) as connection:
        _frown(place, connection, verdicts)


def _listening(place: Place, protocol: str) -> tuple[int, dict[str, str]]:
    port = free_port()
    return port, environment(place, SENTINEL_INBOUND_LISTEN=f"{protocol}://127.0.0.1:{port}")


def _replies(mails: int) -> Iterator[Parcel]:
    today = datetime.now(UTC).date()
    for number in range(1, mails + 1):
        recipient = mailbox(Purpose.REPLY_TO_DELIVERY, number, today=today)
        sender = f"w{number}@d{number % 200}.example"
        yield Parcel(sender, recipient, reply(number, sender, recipient, WORDS[number % len(WORDS)]))


def _commit(
    place: Place,
    connection: psycopg.Connection,
    verdicts: Verdicts,
    protocol: Literal["smtp", "lmtp"],
    mails: int,
) -> None:
    port, variables = _listening(place, protocol)
    parcels = list(_replies(mails))
    with running(sentinel("inbound"), variables, place.folder / "inbound.log") as listener:
        wait_for_port(port)
        with metered(listener=listener.pid, postgres=place.postgres) as cost:
            done = bring(parcels, port=port, protocol=protocol, connections=CONNECTIONS)
            cost.seconds = done.seconds
    found = connection.execute("SELECT count(*) FROM inbound_incomingmail").fetchone()
    kept = int(found[0]) if found else 0
    rate = row(f"replies by {protocol.upper()}, {CONNECTIONS} connections", kept, cost)
    if done.refused:
        say(f"    refused: {done.refused[0]}")
    is_met = rate >= LEAST_A_SECOND and kept == done.accepted == mails
    words = f"{rate:,.0f}, {mails - kept} lost"
    verdicts.judge(f"committed per second, {protocol.upper()}", words, f">= {LEAST_A_SECOND}, 0 lost", is_met)


def _frown(place: Place, connection: psycopg.Connection, verdicts: Verdicts) -> None:
    """Frowns by mail, one after the other, each to an owner of its own, with the engine at work."""
    launch(connection, WORKERS)
    port, variables = _listening(place, "lmtp")
    with own_sink(place.folder, log=True) as sink:
        with sending(place, connection, sink.port):
            go(connection)
            wait_until_sent(connection, WORKERS, seconds=60)
        variables["SENTINEL_EMAIL_URL"] = f"smtp://127.0.0.1:{sink.port}"
        with (
            running(sentinel("inbound"), variables, place.folder / "inbound.log"),
            running(sentinel("engine"), variables, place.folder / "engine.log"),
        ):
            wait_for_port(port)
            time.sleep(3)  # the engine is awake and has done what lay there
            waits = [_frown_once(connection, port, number) for number in range(1, FROWNS + 1)]
    cost = Cost(seconds=sum(waits))
    row("frowns by mail, one by one", FROWNS, cost)
    worst = max(waits)
    words = f"{sorted(waits)[len(waits) // 2] * 1000:.0f} ms, worst {worst * 1000:.0f} ms"
    verdicts.judge("frown by mail to the owner's outbox", words, "< 1,000 ms", worst < LONGEST_SECONDS)


_OWNERS_MAIL = "SELECT count(*) FROM outbox_message WHERE channel = 'email' AND kind = 'duty.notice'"


def _frown_once(connection: psycopg.Connection, port: int, delivery: int) -> float:
    """From the listener's "250" to the row in the owner's outbox, seen from outside."""
    found = connection.execute("SELECT address FROM bulk_delivery WHERE id = %s", [delivery]).fetchone()
    assert found is not None
    recipient = mailbox(Purpose.REPLY_TO_DELIVERY, delivery, today=datetime.now(UTC).date())
    before = _count(connection)
    parcel = Parcel(found[0], recipient, reply(delivery, found[0], recipient, PROBLEM))
    done = bring([parcel], port=port, protocol="lmtp", connections=1)
    if done.refused:
        raise SystemExit(f"the listener refused a reply: {done.refused[0]}")
    while _count(connection) == before:
        if time.time() - done.said_at[recipient] > 30:
            raise SystemExit("a frown by mail did not reach the owner's outbox within 30 s")
        time.sleep(0.002)
    return time.time() - done.said_at[recipient]


def _count(connection: psycopg.Connection) -> int:
    found = connection.execute(_OWNERS_MAIL).fetchone()
    return int(found[0]) if found else 0
