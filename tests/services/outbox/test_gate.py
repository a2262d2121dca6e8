"""How much one target gets: limits, bundles on every way, and two engines at one gate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.test import override_settings

from sentinel.outbox.gate import open_gate
from sentinel.outbox.models import Message
from sentinel.outbox.rules import Priority, Result
from sentinel.outbox.services import NewMessage, claim, enqueue, settle
from sentinel.outbox.waiting import put_off

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def notices(
    keys: str,
    *,
    channel: str = "chat",
    kind: str = "mail.news",
    priority: Priority = Priority.NOTICE,
    way: int = 1,
    recipient_kind: str = "user",
    now: datetime = NOW,
) -> None:
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    channel=channel,
                    kind=kind,
                    recipient_kind=recipient_kind,
                    recipient_id=1,
                    address="tgram://…",
                    priority=priority,
                    problem_id=ord(key),
                    payload={"title": key, "text": "", "url": "", "language": "en", "method_id": way},
                )
                for key in keys
            ],
            now=now,
        )


def send_all(channel: str = "chat", *, now: datetime = NOW) -> str:
    """What an engine sends now, in order."""
    open_gate(channel=channel, now=now)
    sent = ""
    for claimed in claim(channel=channel, limit=100, now=now):
        settle(claimed=claimed, result=Result.ACCEPTED, now=now)
        sent += claimed.dedupe_key if len(claimed.dedupe_key) == 1 else "*"
    return sent


@pytest.mark.django_db
def test_a_chat_takes_five_in_a_minute_and_the_others_say_when_they_go_on() -> None:
    notices("abcdefg")
    assert send_all() == "abcde"
    (waiting,) = put_off(user_id=1)
    assert (waiting.why, waiting.count, waiting.next_at) == ("limit", 2, NOW + MINUTE)
    assert send_all(now=NOW + timedelta(seconds=59)) == ""
    assert send_all(now=NOW + MINUTE) == "fg"
    assert not put_off()


@pytest.mark.django_db
def test_the_hour_holds_when_every_minute_had_room() -> None:
    for minute in range(6):
        notices("abcde".translate({ord(c): chr(ord(c) + 40 * minute + 40) for c in "abcde"}), now=NOW)
        assert len(send_all(now=NOW + minute * MINUTE)) == 5
    notices("z")
    assert send_all(now=NOW + 10 * MINUTE) == ""
    assert put_off()[0].next_at == NOW + timedelta(hours=1)


@pytest.mark.django_db
def test_the_first_alarm_is_never_held_back_and_the_second_is() -> None:
    notices("abcde")
    assert send_all() == "abcde"
    notices("A", kind="problem.opened", priority=Priority.ALARM)
    assert send_all(now=NOW + timedelta(seconds=5)) == "A"
    notices("B", kind="problem.opened", priority=Priority.ALARM)
    assert send_all(now=NOW + timedelta(seconds=6)) == ""


@pytest.mark.django_db
def test_a_full_hour_holds_an_alarm_back_for_a_minute_and_no_longer() -> None:
    for minute in range(6):
        notices("".join(chr(200 + 5 * minute + n) for n in range(5)))
        send_all(now=NOW + minute * MINUTE)
    later = NOW + 10 * MINUTE
    notices("AB", kind="problem.opened", priority=Priority.ALARM)
    assert send_all(now=later) == "A"
    assert put_off()[0].next_at == later + MINUTE
    assert send_all(now=later + MINUTE) == "B"


@pytest.mark.django_db
def test_what_was_written_before_targets_is_merged_for_nobody_after_a_mute() -> None:
    notices("ab", channel="email", kind="duty.notice")
    rows = Message.objects.filter(dedupe_key__in="ab")
    rows.update(target="", held=False, waits_for="mute", last_error="muted by Ada: a test")
    Message.objects.filter(dedupe_key="b").update(recipient_id=2, address="other@example.com")
    assert sorted(send_all("email")) == ["a", "b"]


@pytest.mark.django_db
def test_what_breaks_the_gate_goes_through_and_stops_nobody_else() -> None:
    reports(3)
    notices("z", way=2)
    Message.objects.filter(dedupe_key="r1").update(payload={"title": "no facts", "method_id": 1})
    assert "z" in send_all()
    assert not Message.objects.filter(state="pending").exists()


@pytest.mark.django_db
def test_the_most_urgent_goes_first_when_there_is_room_again() -> None:
    notices("abcde")
    send_all()
    notices("f")
    notices("L", kind="problem.late", priority=Priority.LADDER)
    assert send_all() == ""
    with override_settings(TARGET_LIMITS={"chat": ((MINUTE, 1),)}):
        assert send_all(now=NOW + MINUTE) == "L"


@pytest.mark.django_db
@override_settings(TARGET_LIMITS={"chat": ((timedelta(hours=1), 1),)})
def test_limits_come_from_the_settings_and_never_hold_the_first_alarm() -> None:
    notices("ab")
    assert send_all() == "a"
    assert put_off()[0].words == "too many at once for one target (at most 1 an hour)"
    notices("A", kind="problem.opened", priority=Priority.ALARM)
    assert send_all(now=NOW + timedelta(seconds=5)) == "A"


@pytest.mark.django_db
@override_settings(TARGET_LIMITS={"chat": ()})
def test_none_is_no_limit() -> None:
    everything = "".join(chr(code) for code in range(300, 360))
    notices(everything)
    assert send_all() == everything


@pytest.mark.django_db
def test_targets_do_not_use_up_each_other_and_systems_have_no_limit_here() -> None:
    notices("abcde")
    notices("fghij", way=2)
    assert send_all() == "abcdefghij"
    everything = "".join(chr(code) for code in range(300, 340))
    notices(everything, channel="webhook", recipient_kind="endpoint", way=3)
    assert send_all("webhook") == everything


@pytest.mark.django_db
def test_codes_are_not_held_back() -> None:
    notices("abcde")
    notices("c", kind="contact.code", priority=Priority.LADDER)
    send_all()
    notices("K", kind="contact.code", priority=Priority.LADDER)
    assert send_all() == "K"


@pytest.mark.django_db
def test_duty_notices_of_one_moment_are_one_message_after_the_first() -> None:
    notices("abcd", kind="duty.notice", priority=Priority.LADDER)
    assert send_all() == "a*"
    merged = Message.objects.get(kind="duty.notices")
    assert merged.payload["title"] == "3 notices for you: b"
    assert merged.payload["url"].endswith("/notices/")
    assert set(merged.bundled.values_list("dedupe_key", flat=True)) == set("bcd")


def reports(count: int, *, since: int = 0) -> None:
    """Notices of so many problems of one site to one chat."""
    facts = {"name": "N", "words": "down", "grade": "hinders", "rank": 1, "where": "Kyiv", "zone": "UTC"}
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=f"r{n}",
                    channel="chat",
                    kind="duty.notice",
                    recipient_kind="user",
                    recipient_id=1,
                    address="tgram://…",
                    priority=Priority.ALARM,
                    problem_id=n,
                    crowd="site:1:1:new:0",
                    payload={
                        "title": f"Call {n}",
                        "language": "en",
                        "method_id": 1,
                        "crowd": {**facts, "about": n, "opened_at": NOW.isoformat(), "series": "new"},
                    },
                )
                for n in range(since, since + count)
            ],
            now=NOW,
        )


@pytest.mark.django_db(transaction=True)
def test_two_engines_make_one_picture_of_one_storm() -> None:
    reports(30)

    def turn(_number: int) -> str:
        try:
            return send_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert "".join(pool.map(turn, range(8))) == "*"
    (picture,) = Message.objects.filter(kind="duty.picture")
    assert picture.payload["title"] == "30 people at Kyiv report problems since 09:00"
    assert picture.bundled.count() == 30
    reports(1, since=40)
    assert send_all(now=NOW + MINUTE) == ""
    assert send_all(now=NOW + 5 * MINUTE) == "*"
    assert (
        Message.objects.get(kind="duty.picture", id__gt=picture.pk).payload["title"].startswith("31 people")
    )


@pytest.mark.django_db(transaction=True)
def test_two_engines_at_one_gate_let_through_what_one_would() -> None:
    for way in range(1, 6):
        notices("".join(chr(way * 100 + n) for n in range(8)), way=way)

    def turn(_number: int) -> str:
        try:
            return send_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        sent = "".join(pool.map(turn, range(8)))
    assert len(sent) == len(set(sent)) == 25
    for way in range(1, 6):
        assert sum(ord(key) // 100 == way for key in sent) == 5
