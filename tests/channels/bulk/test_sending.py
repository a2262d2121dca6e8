"""The bulk sender against a real SMTP server and the real database: every end a delivery can come to."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest

from sentinel.bulk.models import Delivery, DomainLane, Run
from sentinel.channels.email.bulk.settings import Signing
from sentinel.kernel.links import Purpose, read
from tests.channels.bulk.office import (
    ISSUED,
    SECRET,
    counters,
    delivery_to,
    lane,
    launch,
    relay,
    sending,
    sent,
    states,
    trouble,
    wait_until,
)
from tests.channels.test_dkim import key, pem, verify
from tests.fakes.smtp_sink import DROP, HANG, KEEP_AND_DROP, Script, Sink

pytestmark = pytest.mark.django_db(transaction=True)


def at(step: str, reply: str) -> Script:
    """A server that always answers this at one step."""
    return lambda asked, _recipient, _took: reply if asked == step else None


@pytest.mark.parametrize("mode", ["full", "pipe", "lock"])
def test_everybody_gets_one_mail_whatever_the_way_of_talking(mode: str) -> None:
    run = launch(many=60)
    with Sink() as sink, sending(relay(sink, mode=mode, connections=4)):
        wait_until(lambda: sent(run) == 60)
        assert sorted(sink.recipients) == sorted(Delivery.objects.values_list("address", flat=True))
    assert counters(run) == {"sent": 60}
    assert states() == {"sent": 60}
    row = Delivery.objects.first()
    assert row is not None
    assert (row.attempts, row.code, row.answer, row.relay) == (1, 250, "queued", f"127.0.0.1:{sink.port}")
    assert row.first_tried_at is not None
    assert row.settled_at is not None


def test_a_mail_carries_the_delivery_s_own_links_and_return_address() -> None:
    launch("olena@lindgren.example")
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: states() == {"sent": 1})
        (taken,) = sink.taken
    delivery = delivery_to("olena@lindgren.example")
    mail = message_from_bytes(taken.content, policy=default_policy)
    assert mail["To"] == "olena@lindgren.example"
    token = str(mail["Message-ID"]).removeprefix("<rd-").partition("@")[0]
    today = ISSUED.date()
    assert read(token, Purpose.REPLY_TO_DELIVERY, secrets=[SECRET.encode()], today=today) == delivery.pk
    local, _, domain = taken.sender.partition("@")
    assert domain == "in.sentinel.example"
    bounced = read(
        local.removeprefix("bd-"), Purpose.BOUNCE_OF_DELIVERY, secrets=[SECRET.encode()], today=today
    )
    assert bounced == delivery.pk
    assert taken.content.endswith(b"bye\r\n")


def test_pipelining_is_used_only_where_it_is_offered() -> None:
    run = launch(many=20)
    with Sink(pipelining=False) as sink, sending(relay(sink, mode="full", connections=2)):
        wait_until(lambda: sent(run) == 20)
    assert sorted(sink.recipients) == sorted(Delivery.objects.values_list("address", flat=True))


@pytest.mark.parametrize("mode", ["full", "pipe", "lock"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "BODY"])
def test_who_is_refused_fails_alone_with_the_server_s_words(mode: str, step: str) -> None:
    run = launch("gone@d1.example", many=20)
    reply = "552 5.3.4 too big" if step in ("MAIL", "DATA") else "550 5.1.1 no such user"

    def refuse(asked: str, recipient: str, _took: int) -> str | None:
        return reply if asked == step and (recipient == "gone@d1.example" or step == "MAIL") else None

    with Sink(script=refuse) as sink, sending(relay(sink, mode=mode, connections=2)):
        if step == "MAIL":
            wait_until(lambda: states() == {"failed": 21})
            return
        wait_until(lambda: sum(counters(run).values()) == 21)
    assert counters(run) == {"sent": 20, "failed": 1}
    row = delivery_to("gone@d1.example")
    assert (row.state, row.attempts, row.code) == ("failed", 1, int(reply[:3]))
    assert (row.enhanced, row.answer) == (reply[4:9], reply[10:])
    assert "gone@d1.example" not in sink.recipients


@pytest.mark.parametrize("mode", ["full", "pipe", "lock"])
def test_a_server_that_waits_for_a_body_nobody_may_get_gets_a_lone_dot(mode: str) -> None:
    run = launch("gone@d1.example", many=10)

    def careless(asked: str, recipient: str, _took: int) -> str | None:
        if recipient != "gone@d1.example":
            return None
        return {"RCPT": "550 5.1.1 no such user", "DATA": "354 go on all the same"}.get(asked)

    with Sink(script=careless) as sink, sending(relay(sink, mode=mode, connections=1)):
        wait_until(lambda: sum(counters(run).values()) == 11)
        assert len(sink.taken) == 10
        assert sink.connections == 1
    assert counters(run) == {"sent": 10, "failed": 1}


def test_who_shall_come_later_is_tried_again_later() -> None:
    run = launch("busy@d1.example", many=10)
    refused: list[str] = []

    def later(asked: str, recipient: str, _took: int) -> str | None:
        if asked == "RCPT" and recipient == "busy@d1.example" and not refused:
            refused.append(recipient)
            return "450 4.2.0 greylisted"
        return None

    with Sink(script=later) as sink, sending(relay(sink)):
        before = datetime.now(UTC)
        wait_until(lambda: counters(run) == {"sent": 10, "deferred": 1})
        row = delivery_to("busy@d1.example")
        assert (row.state, row.attempts, row.code, row.enhanced) == ("deferred", 1, 450, "4.2.0")
        assert timedelta(minutes=4, seconds=59) < row.next_at - before < timedelta(minutes=5, seconds=30)
        Delivery.objects.filter(pk=row.pk).update(next_at=before)
        wait_until(lambda: counters(run) == {"sent": 11})
        assert sink.recipients.count("busy@d1.example") == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 2)


def test_who_was_put_off_for_a_day_fails() -> None:
    launch("busy@d1.example", attempts=9, state="deferred", first_tried_at=datetime(2026, 1, 1, tzinfo=UTC))
    Run.objects.update(deferred=1)
    with Sink(script=at("BODY", "451 4.2.0 later")) as sink, sending(relay(sink)):
        wait_until(lambda: states() == {"failed": 1})
    assert counters(Run.objects.get()) == {"failed": 1}


def test_an_address_that_is_none_fails_without_a_word_to_the_relay() -> None:
    run = launch("no address>@d1.example", "olena@d1.example")
    with Sink() as sink, sending(relay(sink)):
        wait_until(lambda: counters(run) == {"sent": 1, "failed": 1})
        assert sink.recipients == ["olena@d1.example"]


def test_a_mail_beyond_the_relay_s_size_fails_without_being_sent() -> None:
    run = launch("olena@d1.example")
    with Sink(size=100) as sink, sending(relay(sink)):
        wait_until(lambda: counters(run) == {"failed": 1})
    row = delivery_to("olena@d1.example")
    assert (row.code, row.enhanced) == (552, "5.3.4")
    assert not sink.taken


def test_a_relay_that_ends_every_connection_after_some_mails_loses_and_repeats_nothing() -> None:
    run = launch(many=200)

    def enough(asked: str, _recipient: str, took: int) -> str | None:
        return "421 4.7.0 too many mails on this connection" if asked == "MAIL" and took >= 10 else None

    with Sink(script=enough) as sink, sending(relay(sink, connections=5)):
        wait_until(lambda: sent(run) == 200)
        assert (len(sink.taken), sink.repeats()) == (200, (0, 0))
        assert max(sink.per_connection().values()) == 10
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert counters(run) == {"sent": 200}


def test_connections_are_renewed_after_so_many_mails() -> None:
    run = launch(many=50)
    with Sink() as sink, sending(relay(sink, connections=2, per_connection=10)):
        wait_until(lambda: sent(run) == 50)
        assert max(sink.per_connection().values()) == 10
        assert sink.said.count("QUIT") >= 4


def test_a_few_who_shall_come_later_slow_nobody_down() -> None:
    run = launch(many=200)

    def some(asked: str, recipient: str, _took: int) -> str | None:
        is_one_of_twenty = int(recipient[1:].partition("@")[0] or 0) % 20 == 19 if recipient else False
        return "451 4.3.2 come again later" if asked == "BODY" and is_one_of_twenty else None

    with Sink(script=some) as sink, sending(relay(sink)):
        wait_until(lambda: counters(run) == {"sent": 190, "deferred": 10})
        assert sink.repeats() == (0, 0)
    assert not DomainLane.objects.filter(pace_per_minute__isnull=False).exists()


def test_a_connection_lost_before_the_body_repeats_nothing_and_burns_no_try() -> None:
    run = launch(many=50)
    dropped: list[int] = []

    def rude(asked: str, _recipient: str, took: int) -> str | None:
        if asked == "DATA" and took == 5 and len(dropped) < 4:
            dropped.append(1)
            return DROP
        return None

    with Sink(script=rude) as sink, sending(relay(sink, connections=3)):
        wait_until(lambda: sent(run) == 50)
        assert sink.repeats() == (0, 0)
    assert counters(run) == {"sent": 50}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_connection_lost_after_the_body_is_told_as_unclear_and_tried_again_as_the_same_mail() -> None:
    run = launch("olena@d1.example")
    dropped: list[int] = []

    def rude(asked: str, _recipient: str, _took: int) -> str | None:
        if asked == "BODY" and not dropped:
            dropped.append(1)
            return KEEP_AND_DROP
        return None

    with Sink(script=rude) as sink, sending(relay(sink)):
        wait_until(lambda: states() == {"deferred": 1})
        assert counters(run) == {"deferred": 1, "ambiguous": 1, "repeated": 1}
        assert "no answer after the mail was handed over" in delivery_to("olena@d1.example").answer
        Delivery.objects.update(next_at=ISSUED)
        wait_until(lambda: states() == {"sent": 1})
        assert sink.repeats() == (1, 0)


def test_a_run_that_wants_a_person_to_decide_holds_what_is_unclear() -> None:
    run = launch("olena@d1.example", after_crash="hold")
    with (
        Sink(script=lambda step, *_: KEEP_AND_DROP if step == "BODY" else None) as sink,
        sending(relay(sink)),
    ):
        wait_until(lambda: counters(run) == {"ambiguous": 1})
    row = delivery_to("olena@d1.example")
    assert (row.state, row.reason) == ("begun", "held")
    assert len(sink.taken) == 1


def test_a_domain_that_blocks_us_waits_for_a_person_and_the_others_go_on() -> None:
    blocked = [f"w{n}@blocked.example" for n in range(30)]
    run = launch(*blocked, many=30)
    is_blocking = [True]

    def block(asked: str, recipient: str, _took: int) -> str | None:
        if asked == "RCPT" and recipient.endswith("@blocked.example") and is_blocking:
            return "550 5.7.1 your network is not welcome here"
        return None

    with Sink(script=block) as sink, sending(relay(sink, connections=4)):
        wait_until(lambda: sent(run) == 30 and DomainLane.objects.filter(paused_at__isnull=False).exists())
        row = lane("blocked.example")
        assert row.paused_reason == "550 5.7.1 your network is not welcome here"
        assert (row.is_paused_by_hand, row.reported_at) == (False, None)
        wait_until(lambda: "claimed" not in states() and "begun" not in states())
        assert (
            Delivery.objects.filter(domain="blocked.example", state__in=["pending", "deferred"]).count() == 30
        )
        is_blocking.clear()
        DomainLane.objects.update(paused_at=None, paused_reason="")
        wait_until(lambda: sent(run) == 60)
        assert sink.repeats() == (0, 0)
    assert counters(run) == {"sent": 60}


def test_a_domain_that_says_nothing_holds_nobody_else() -> None:
    run = launch(*(f"w{n}@slow.example" for n in range(40)), many=100)

    def tarpit(asked: str, recipient: str, _took: int) -> str | None:
        return HANG if asked == "RCPT" and recipient.endswith("@slow.example") else None

    with Sink(script=tarpit) as sink, sending(relay(sink, connections=10)):
        wait_until(lambda: sent(run) == 100)
        assert not any(recipient.endswith("@slow.example") for recipient in sink.recipients)


def test_a_server_that_says_nothing_at_all_is_left_after_a_while() -> None:
    run = launch("olena@d1.example")
    asked_before: list[str] = []

    def silent_once(asked: str, _recipient: str, _took: int) -> str | None:
        if asked == "MAIL" and not asked_before:
            asked_before.append(asked)
            return HANG
        return None

    with Sink(script=silent_once) as sink, sending(relay(sink), reply_seconds=0.5):
        wait_until(lambda: sent(run) == 1)
        assert sink.connections == 2
    assert delivery_to("olena@d1.example").attempts == 1


def test_a_relay_that_is_away_burns_nobody_s_try() -> None:
    run = launch(many=20)
    with Sink() as sink:
        port = sink.port
    with sending(relay(sink)):
        wait_until(lambda: "refused" in trouble().lower() or "connect" in trouble().lower())
        assert set(states()) <= {"pending", "claimed"}
        with Sink(port=port) as back:
            wait_until(lambda: sent(run) == 20)
            assert back.repeats() == (0, 0)
            wait_until(lambda: trouble() == "")
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_relay_that_refuses_to_work_burns_nobody_s_try() -> None:
    launch(many=20)
    with Sink(script=at("MAIL", "452 4.3.1 disk full")) as sink, sending(relay(sink)):
        wait_until(lambda: "disk full" in trouble())
    assert states() == {"pending": 20}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}


def test_a_relay_that_takes_few_connections_is_used_with_those() -> None:
    run = launch(many=200)
    with Sink(most_at_once=3, processing=0.002) as sink, sending(relay(sink, connections=10)):
        wait_until(lambda: sent(run) == 200)
        assert sink.repeats() == (0, 0)
        assert len(sink.per_connection()) == 3
        assert trouble() == ""


def test_a_relay_s_limit_holds_and_keeps_nobody_busy() -> None:
    launch(many=200)
    with Sink() as sink, sending(relay(sink, connections=5, per_second=20), claim_size=50):
        began = time.monotonic()
        wait_until(lambda: len(sink.taken) >= 20)
        taken, passed = len(sink.taken), time.monotonic() - began
        # One for every twentieth of a second that passed, the first at once.
        assert taken <= 20 * (passed + 1) + 1
        assert states().get("claimed", 0) <= 110


def test_relays_get_work_by_their_weights_while_they_wait_for_some() -> None:
    run = launch(*(f"w{n}@d1.example" for n in range(40)))
    # One at a time, so that both relays wait for it.
    DomainLane.objects.create(domain="d1.example", limit_per_minute=900, changed_at=ISSUED)
    with Sink() as one, Sink() as other:
        with sending(relay(one, connections=3, weight=3), relay(other, connections=3, weight=1)):
            wait_until(lambda: sent(run) == 40)
        assert len(one.taken) + len(other.taken) == 40
        assert 25 <= len(one.taken) <= 35


def test_mails_are_signed_when_there_is_a_key() -> None:
    run = launch(many=3)
    signing = Signing(key=pem(key()), selector="sentinel")
    with Sink() as sink, sending(relay(sink), dkim=signing):
        wait_until(lambda: sent(run) == 3)
        for taken in sink.taken:
            verify(taken.content)


def test_two_relays_share_the_work_and_one_alone_does_it_all() -> None:
    run = launch(many=200)
    with Sink() as one, Sink(processing=0.001) as two:
        with sending(relay(one, connections=3), relay(two, connections=3)):
            wait_until(lambda: sent(run) == 200)
        assert len(one.taken) + len(two.taken) == 200
        assert len(one.taken) > 20
        assert len(two.taken) > 20
        assert not set(one.recipients) & set(two.recipients)
    other = launch(many=20, day=1)
    with Sink() as alone:
        with sending(relay(one, connections=3), relay(alone, connections=3)):
            wait_until(lambda: sent(other) == 20)
        assert len(alone.taken) == 20
