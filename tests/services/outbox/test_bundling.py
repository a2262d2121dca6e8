"""A burst of notices to one person becomes one mail; the first is never held back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from sentinel.outbox.bundling import bundle_pending
from sentinel.outbox.models import Message
from sentinel.outbox.rules import Priority, Result
from sentinel.outbox.services import NewMessage, claim, enqueue, settle

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
MARIA, TOM = 1, 2

pytestmark = pytest.mark.django_db


def notice(
    key: str,
    *,
    user: int = MARIA,
    kind: str = "duty.notice",
    priority: Priority = Priority.ALARM,
    **columns: object,
) -> None:
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    channel="email",
                    kind=kind,
                    recipient_kind="user",
                    recipient_id=user,
                    address=f"{user}@example.com",
                    priority=priority,
                    problem_id=abs(hash(key)) % 1000,
                    payload={
                        "subject": f"Call {key} now",
                        "text": "",
                        "html": "",
                        "language": "en",
                        "from_name": "Sentinel",
                        "from_address": "s@example.com",
                        "reply_to": "",
                        "headers": {},
                    },
                    **columns,  # type: ignore[arg-type]
                )
            ],
            now=NOW,
        )


def send_one(now: datetime = NOW) -> str:
    (claimed,) = claim(channel="email", limit=1, now=now)
    settle(claimed=claimed, result=Result.ACCEPTED, now=now)
    return claimed.dedupe_key


def states() -> dict[str, str]:
    return dict(Message.objects.values_list("dedupe_key", "state"))


def test_nothing_is_merged_for_somebody_who_has_heard_nothing_yet() -> None:
    notice("a")
    notice("b")
    assert bundle_pending(now=NOW) == 0
    assert send_one() == "a"


def test_the_first_goes_at_once_and_the_others_of_the_same_moment_share_a_mail() -> None:
    notice("a", priority=Priority.ALARM)
    for key in "bcd":
        notice(key, priority=Priority.LADDER)
    send_one()
    assert bundle_pending(now=NOW) == 3
    assert {key: state for key, state in states().items() if len(key) == 1} == {
        "a": "accepted",
        "b": "bundled",
        "c": "bundled",
        "d": "bundled",
    }
    (merged,) = claim(channel="email", limit=5, now=NOW)
    assert merged.payload["subject"] == "3 notices for you: Call b now"
    for row in Message.objects.filter(state="bundled"):
        assert row.bundle_id == merged.id
        assert f"/problems/{row.problem_id}/" in merged.payload["text"]


def test_a_mail_on_its_way_counts_as_heard() -> None:
    for key in "abc":
        notice(key)
    claim(channel="email", limit=1, now=NOW)
    assert bundle_pending(now=NOW) == 2


def test_a_single_waiting_notice_stays_a_mail_of_its_own() -> None:
    notice("a")
    send_one()
    notice("b")
    assert bundle_pending(now=NOW) == 0


def test_after_two_quiet_minutes_the_next_burst_begins_with_a_mail_of_its_own() -> None:
    notice("a")
    send_one()
    notice("b")
    notice("c")
    assert bundle_pending(now=NOW + timedelta(minutes=2)) == 0
    assert bundle_pending(now=NOW + timedelta(minutes=2) - timedelta(seconds=1)) == 2


def test_people_and_kinds_are_not_mixed() -> None:
    notice("a")
    send_one()
    notice("b")
    notice("c", user=TOM)
    notice("d", user=TOM)
    notice("e", kind="problem.news")
    assert bundle_pending(now=NOW) == 0


def test_what_is_not_yet_due_is_left_alone() -> None:
    notice("a")
    send_one()
    notice("b")
    notice("c", due_at=NOW + timedelta(hours=12))
    assert bundle_pending(now=NOW) == 0


def test_the_merged_mail_is_as_urgent_as_its_most_urgent_part() -> None:
    notice("a")
    send_one()
    notice("b", priority=Priority.NOTICE)
    notice("c", priority=Priority.ALARM)
    bundle_pending(now=NOW)
    assert Message.objects.get(state="pending").priority == Priority.ALARM


def test_a_merged_mail_is_never_merged_again_so_that_no_link_is_lost() -> None:
    for key in "abc":
        notice(key)
    send_one()
    bundle_pending(now=NOW)
    for key in "de":
        notice(key)
    assert bundle_pending(now=NOW) == 2
    for row in Message.objects.filter(state="bundled").select_related("bundle"):
        assert row.bundle is not None
        assert row.bundle.state == "pending"
        assert f"/problems/{row.problem_id}/" in row.bundle.payload["text"]


def test_merging_twice_changes_nothing_more() -> None:
    for key in "abc":
        notice(key)
    send_one()
    assert [bundle_pending(now=NOW), bundle_pending(now=NOW)] == [2, 0]
