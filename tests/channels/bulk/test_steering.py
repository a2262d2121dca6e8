"""What people do to mail on its way, and two senders beside each other."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from sentinel.bulk.models import Begun, Delivery, DomainLane, Run, SenderState
from sentinel.channels.email.bulk.statements import LEADERSHIP
from sentinel.channels.email.bulk.watch import LOOK_SECONDS
from tests.channels.bulk.office import (
    RunningSender,
    conninfo,
    counters,
    delivery_to,
    launch,
    relay,
    sending,
    sent,
    states,
    told,
    wait_until,
)
from tests.fakes.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for_quiet() -> None:
    """Until nothing is claimed or begun any more."""
    wait_until(lambda: not {"claimed", "begun"} & states().keys())
    assert not {"claimed", "begun"} & states().keys()


def test_a_paused_run_stops_in_its_middle_and_goes_on_without_loss_or_repeat() -> None:
    assert LOOK_SECONDS < 1, "it notices within a second, if the machine lets it"
    run = launch(many=400)
    # The rest would take the other side two seconds.
    with Sink(processing=0.02) as sink, sending(relay(sink, connections=4)):
        wait_until(lambda: sent(run) > 40)
        Run.objects.update(state="paused")
        wait_for_quiet()
        stopped_at = len(sink.taken)
        assert sent(run) == stopped_at < 400
        assert states() == {"sent": stopped_at, "pending": 400 - stopped_at}
        Run.objects.update(state="running")
        wait_until(lambda: len(sink.taken) > stopped_at)
        wait_until(lambda: sent(run) == 400)
        assert sink.repeats() == (0, 0)
    assert counters(run) == {"sent": 400}


def test_everything_can_be_paused_at_once() -> None:
    run = launch(many=300)
    with Sink(processing=0.02) as sink, sending(relay(sink, connections=4)):
        wait_until(lambda: sent(run) > 20)
        SenderState.objects.update_or_create(pk=1, defaults={"paused_at": datetime.now(UTC)})
        wait_for_quiet()
        stopped_at = len(sink.taken)
        SenderState.objects.update(paused_at=None)
        wait_until(lambda: sent(run) == 300)
        assert stopped_at < 300
        assert sink.repeats() == (0, 0)


def test_a_paused_run_holds_no_other() -> None:
    standing = launch(many=50)
    Run.objects.update(state="paused")
    going = launch(*(f"x{n}@d1.example" for n in range(50)), day=1)
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: sent(going) == 50)
    assert states(standing) == {"pending": 50}


def test_a_paused_domain_waits_and_goes_on() -> None:
    run = launch("olena@lindgren.example", many=10)
    DomainLane.objects.create(
        domain="lindgren.example", paused_at=datetime.now(UTC), changed_at=datetime.now(UTC)
    )
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: sent(run) == 10)
        assert delivery_to("olena@lindgren.example").state == "pending"
        DomainLane.objects.update(paused_at=None)
        wait_until(lambda: sent(run) == 11)
        assert sink.repeats() == (0, 0)


def test_what_is_not_due_yet_waits() -> None:
    run = launch(many=5)
    launch("later@d1.example", day=1)
    Delivery.objects.filter(address="later@d1.example").update(next_at=datetime(2100, 1, 1, tzinfo=UTC))
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: sent(run) == 5)
        assert "later@d1.example" not in sink.recipients
    assert delivery_to("later@d1.example").state == "pending"


def test_stopping_finishes_what_is_under_way_and_gives_the_rest_back() -> None:
    run = launch(many=300)
    with Sink(processing=0.01) as sink:
        with sending(relay(sink, connections=4)):
            wait_until(lambda: sent(run) > 20)
        assert states() == {"sent": len(sink.taken), "pending": 300 - len(sink.taken)}
        assert sink.repeats() == (0, 0)
        with sending(relay(sink, connections=4)):
            wait_until(lambda: sent(run) == 300)
        assert sink.repeats() == (0, 0)


def test_a_second_sender_stands_by_and_takes_over() -> None:
    run = launch(many=300)
    with Sink(processing=0.01) as sink:
        first = RunningSender(told(relay(sink, connections=3)))
        second = RunningSender(told(relay(sink, connections=3)))
        with second, first:
            wait_until(lambda: sent(run) > 20)
            first.stop()
            wait_until(lambda: sent(run) == 300)
        assert sink.repeats() == (0, 0)
    assert counters(run) == {"sent": 300}


def leaders() -> list[int]:
    """The database sessions that hold the leadership."""
    with psycopg.connect(conninfo()) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [LEADERSHIP],
        )
        return [row[0] for row in rows.fetchall()]


def cut_off(pid: int) -> None:
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_sender_that_lost_its_session_releases_no_body_and_comes_back() -> None:
    run = launch(many=400)
    with Sink(processing=0.01) as sink, sending(relay(sink, connections=4)):
        for stop in (30, 120):
            wait_until(lambda stop=stop: sent(run) > stop)  # type: ignore[misc]
            (leader,) = leaders()
            cut_off(leader)
        wait_until(lambda: sent(run) == 400)
        # The answers to what was on the wire were still heard, so nothing had to be repeated.
        assert sink.repeats() == (0, 0)
    assert states() == {"sent": 400}
    assert counters(run)["sent"] == 400


@pytest.mark.parametrize("is_in_group", [True, False])
@pytest.mark.parametrize(("policy", "after"), [("resend", {"sent": 3}), ("hold", {"sent": 2, "begun": 1})])
def test_what_a_crash_left_unclear_is_counted_and_treated_as_the_run_wants(
    policy: str, after: dict[str, int], is_in_group: bool
) -> None:
    run = launch("unclear@d1.example", "claimed@d1.example", "pending@d1.example", after_crash=policy)
    unclear = Delivery.objects.filter(address="unclear@d1.example")
    unclear.update(state="claimed" if is_in_group else "begun")
    if is_in_group:
        Begun.objects.create(id=1, deliveries=[unclear.get().pk])
    Delivery.objects.filter(address="claimed@d1.example").update(state="claimed")
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: states() == after)
    assert not Begun.objects.exists()
    run.refresh_from_db()
    assert (run.ambiguous, run.repeated) == (1, 1 if policy == "resend" else 0)
    # A second start must not count it again.
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: SenderState.objects.get().alive_at is not None)
    run.refresh_from_db()
    assert run.ambiguous == 1


def test_a_claimed_delivery_that_somebody_took_away_is_not_sent() -> None:
    run = launch(many=30)
    with Sink(rtt=0.05) as sink, sending(relay(sink, connections=2)):
        wait_until(lambda: "claimed" in states())
        taken = Delivery.objects.filter(state="claimed").order_by("-pk").first()
        assert taken is not None
        now = datetime.now(UTC)
        changed = Delivery.objects.filter(pk=taken.pk, state="claimed").update(
            state="skipped", settled_at=now
        )
        wait_until(lambda: sent(run) == 30 - changed)
        assert (taken.address in sink.recipients) == (changed == 0)


def test_the_sender_says_that_it_lives_and_how_its_relays_do() -> None:
    launch(many=5)
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: SenderState.objects.filter(alive_at__isnull=False).exists())
        wait_until(lambda: states() == {"sent": 5})
        wait_until(
            lambda: (
                bool(SenderState.objects.get().relays) and SenderState.objects.get().relays[0]["sent"] == 5
            )
        )
        report = SenderState.objects.get().relays[0]
    assert (report["name"], report["trouble"], report["mode"]) == (f"127.0.0.1:{sink.port}", "", "full")


def test_a_pace_that_was_learnt_is_kept_for_the_next_start() -> None:
    run = launch("olena@lindgren.example", "joao@lindgren.example")
    DomainLane.objects.create(domain="lindgren.example", pace_per_minute=6, changed_at=datetime.now(UTC))
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: sent(run) == 1)
        assert len(sink.taken) == 1
