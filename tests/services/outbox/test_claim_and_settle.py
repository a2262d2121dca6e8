"""Enqueue, claim, settle: order, leases, fencing, back-off, and states that cannot be."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from sentinel.outbox import rules
from sentinel.outbox.models import Attempt, Message
from sentinel.outbox.rules import Priority, Result, State
from sentinel.outbox.selectors import count_by_state, message_by_key, next_visible_at
from sentinel.outbox.services import (
    LEASE,
    LeaseLost,
    NewMessage,
    Taken,
    accept_at_once,
    cancel_pending,
    claim,
    enqueue,
    give_back,
    settle,
    settle_accepted,
)

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def add(key: str, *, priority: Priority = Priority.LADDER, **columns: Any) -> None:
    columns.setdefault("channel", "email")
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    kind="duty.notice",
                    recipient_kind="user",
                    recipient_id=7,
                    address="maria@example.com",
                    priority=priority,
                    payload={"subject": key},
                    **columns,
                )
            ],
            now=NOW,
        )


def keys(now: datetime = NOW, limit: int = 10) -> list[str]:
    return [message.dedupe_key for message in claim(channel="email", limit=limit, now=now)]


def state(key: str) -> str:
    found = message_by_key(key)
    assert found is not None
    return found.state


def test_urgent_messages_go_first_and_within_one_urgency_the_oldest() -> None:
    add("check-in", priority=Priority.CHECK_IN, due_at=NOW - timedelta(hours=1))
    add("later", due_at=NOW - SECOND)
    add("earlier", due_at=NOW - 2 * SECOND)
    add("alarm", priority=Priority.ALARM)
    assert keys(limit=2) == ["alarm", "earlier"]
    assert keys() == ["later", "check-in"]


def test_a_message_waits_for_its_time() -> None:
    add("tomorrow", due_at=NOW + timedelta(days=1))
    assert keys() == []
    assert next_visible_at("email") == NOW + timedelta(days=1)
    assert keys(NOW + timedelta(days=1)) == ["tomorrow"]


def test_channels_do_not_see_each_other_s_messages() -> None:
    add("seen", channel="console")
    assert keys() == []


def test_the_same_key_is_enqueued_once_for_ever() -> None:
    add("k")
    (claimed,) = claim(channel="email", limit=1, now=NOW)
    settle(claimed=claimed, result=Result.ACCEPTED, now=NOW)
    add("k")
    assert count_by_state() == {"accepted": 1}


def test_two_same_keys_in_one_call_make_one_message() -> None:
    new = NewMessage(
        dedupe_key="twice",
        channel="email",
        kind="k",
        recipient_kind="user",
        recipient_id=1,
        priority=Priority.ALARM,
    )
    with transaction.atomic():
        assert enqueue([new, new], now=NOW) == 1
    assert count_by_state() == {"pending": 1}


@pytest.mark.django_db(transaction=True)
def test_enqueueing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        enqueue([], now=NOW)


def test_what_is_leased_is_not_given_to_anybody_else_until_the_lease_ends() -> None:
    add("k")
    assert keys() == ["k"]
    assert keys(NOW + LEASE - SECOND) == []
    assert keys(NOW + LEASE) == ["k"]


def test_whoever_lost_the_lease_cannot_settle() -> None:
    add("k")
    (slow,) = claim(channel="email", limit=1, now=NOW)
    (other,) = claim(channel="email", limit=1, now=NOW + LEASE)
    with pytest.raises(LeaseLost):
        settle(claimed=slow, result=Result.PERMANENT, now=NOW + LEASE)
    assert state("k") == "sending"
    settle(claimed=other, result=Result.ACCEPTED, now=NOW + LEASE)
    with pytest.raises(LeaseLost):
        settle(claimed=other, result=Result.PERMANENT, now=NOW + LEASE)
    assert state("k") == "accepted"


def test_a_forged_token_settles_nothing() -> None:
    add("k")
    (claimed,) = claim(channel="email", limit=1, now=NOW)
    with pytest.raises(LeaseLost):
        settle(claimed=replace(claimed, lease_token=uuid.uuid4()), result=Result.ACCEPTED, now=NOW)


def test_transient_failures_back_off_further_each_time_with_the_same_identity() -> None:
    add("k")
    now, identities, waits = NOW, set(), []
    for attempt in range(1, 7):
        (claimed,) = claim(channel="email", limit=1, now=now)
        assert claimed.attempts == attempt
        identities.add((claimed.message_id, claimed.created_at))
        settle(claimed=claimed, result=Result.TRANSIENT, now=now, detail="451 later")
        due = next_visible_at("email")
        assert due is not None
        assert keys(due - SECOND) == []
        waits.append((due - now).total_seconds())
        now = due
    assert len(identities) == 1
    assert waits == sorted(waits)
    assert [4 <= waits[0] <= 6, 240 <= waits[-1] <= 360] == [True, True]
    assert list(Attempt.objects.order_by("id").values_list("number", "result")) == [
        (n, "transient") for n in range(1, 7)
    ]


def test_a_crashed_try_leaves_no_attempt_but_counts() -> None:
    add("k")
    claim(channel="email", limit=1, now=NOW)
    (claimed,) = claim(channel="email", limit=1, now=NOW + LEASE)
    settle(claimed=claimed, result=Result.ACCEPTED, now=NOW + LEASE)
    assert list(Attempt.objects.order_by("id").values_list("number", "result")) == [(2, "accepted")]


def test_settling_keeps_what_the_provider_said() -> None:
    add("k")
    (claimed,) = claim(channel="email", limit=1, now=NOW)
    settle(
        claimed=claimed,
        result=Result.PERMANENT,
        now=NOW,
        detail="550 nobody\0here",
        provider="smtp:relay",
        provider_ref="<id@relay>",
    )
    row = Message.objects.get()
    assert (row.state, row.last_error, row.provider, row.provider_ref, row.settled_at) == (
        "failed",
        "550 nobodyhere",
        "smtp:relay",
        "<id@relay>",
        NOW,
    )


def test_cancelling_takes_back_only_what_was_not_yet_claimed() -> None:
    add("leased", problem_id=1, priority=Priority.ALARM)
    add("waiting", problem_id=1)
    add("other", problem_id=2)
    assert keys(limit=1) == ["leased"]
    assert cancel_pending(now=NOW, problem_id=1) == 1
    assert [state(k) for k in ("leased", "waiting", "other")] == ["sending", "cancelled", "pending"]


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"state": "sent", "settled_at": NOW}, "message_state_known"),
        ({"state": "sending"}, "message_sending_has_lease"),
        ({"lease_token": uuid.UUID(int=1)}, "message_lease_only_sending"),
        ({"state": "accepted", "settled_at": NOW}, "message_accepted_was_tried"),
        ({"state": "accepted", "attempts": 1}, "message_settled_has_time"),
        ({"state": "bundled", "settled_at": NOW}, "message_bundled_has_pointer"),
    ],
)
def test_the_database_refuses_impossible_states(columns: dict[str, Any], constraint: str) -> None:
    add("k")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Message.objects.update(**columns)


def test_the_database_refuses_a_second_message_with_the_same_key() -> None:
    add("k")
    add("l")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.update(dedupe_key="k")


def test_claiming_uses_the_index_over_live_rows() -> None:
    for n in range(50):
        add(f"m{n}")
    with connection.cursor() as cursor:
        # What the planner thinks of so few rows depends on when they were counted; only the order matters.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM outbox_message WHERE state IN ('pending', 'sending')"
            " AND channel = 'email' AND visible_at <= now()"
            " ORDER BY priority, visible_at LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_ready" in plan


def in_another_connection(work: Callable[[], Any]) -> Any:
    """Do something on a connection of its own, as another engine would."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive(), "it waited for a lock"
    return found[0]


@pytest.mark.django_db(transaction=True)
def test_two_engines_claiming_at_once_never_wait_and_never_share() -> None:
    for n in range(4):
        add(f"m{n}")
    with transaction.atomic():
        mine = keys(limit=2)
        theirs = in_another_connection(lambda: keys(limit=10))
    assert (mine, theirs) == (["m0", "m1"], ["m2", "m3"])


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_does_not_exist() -> None:
    with transaction.atomic():
        add("k")
        assert in_another_connection(keys) == []
        transaction.set_rollback(True)
    assert keys() == []


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_rolled_back_was_none() -> None:
    add("k")
    with transaction.atomic():
        assert keys() == ["k"]
        transaction.set_rollback(True)
    assert keys() == ["k"]


def test_a_permanent_failure_after_the_last_try_is_failed_not_dead() -> None:
    old = NOW - rules.GIVE_UP_AFTER - SECOND
    decided = rules.settle(result=Result.PERMANENT, attempts=20, key="k", first_due_at=old, now=NOW)
    assert decided.state is State.FAILED


def test_settling_together_writes_only_where_the_lease_is_ours() -> None:
    for key in "abc":
        add(key)
    a, b, c = claim(channel="email", limit=3, now=NOW)
    forged = replace(b, lease_token=uuid.uuid4())
    taken = [
        Taken(message=c, detail="250 ok\0", provider="smtp:relay", provider_ref="<c@relay>"),
        Taken(message=forged),
        Taken(message=a),
    ]
    assert settle_accepted(taken, now=NOW) == [forged]
    assert [state(k) for k in "abc"] == ["accepted", "sending", "accepted"]
    assert list(
        Attempt.objects.order_by("message_id").values_list("message_id", "number", "result", "detail")
    ) == [(a.id, 1, "accepted", ""), (c.id, 1, "accepted", "250 ok")]
    row = Message.objects.get(pk=c.id)
    assert (row.provider, row.provider_ref, row.settled_at) == ("smtp:relay", "<c@relay>", NOW)
    assert settle_accepted(taken, now=NOW) == [a, forged, c]
    assert Attempt.objects.count() == 2
    assert settle_accepted([], now=NOW) == []


def test_what_is_given_back_is_due_again_at_once_and_no_try_is_counted() -> None:
    add("a", due_at=NOW - SECOND)
    add("b")
    a, b = claim(channel="email", limit=2, now=NOW)
    assert give_back([b, replace(a, lease_token=uuid.uuid4())]) == 1
    assert (state("a"), state("b")) == ("sending", "pending")
    (again,) = claim(channel="email", limit=2, now=NOW)
    assert (again.dedupe_key, again.attempts) == ("b", 1)
    assert give_back([]) == 0


def test_accepting_at_once_takes_only_what_is_due_on_that_channel() -> None:
    add("now", channel="console")
    add("later", channel="console", due_at=NOW + SECOND)
    add("mail")
    assert accept_at_once(channel="console", limit=10, now=NOW) == 1
    assert accept_at_once(channel="console", limit=10, now=NOW) == 0
    assert [state(k) for k in ("now", "later", "mail")] == ["accepted", "pending", "pending"]


def test_a_spread_claim_takes_one_notice_of_each_person_so_that_the_others_can_be_merged() -> None:
    for key in "abc":
        add(key)
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=f"w{n}",
                    channel="email",
                    kind="problem.receipt",
                    recipient_kind="worker",
                    recipient_id=7,
                    address="maria@example.com",
                    priority=Priority.LADDER,
                )
                for n in range(2)
            ],
            now=NOW,
        )
    claimed = claim(channel="email", limit=10, now=NOW, spread=True)
    assert [message.dedupe_key for message in claimed] == ["a", "w0", "w1"]


def test_the_next_due_time_is_found_among_all_urgencies_of_the_channels_asked_for() -> None:
    add("soon", priority=Priority.NOTICE, due_at=NOW + SECOND)
    add("later", priority=Priority.ALARM, due_at=NOW + 2 * SECOND)
    add("console", channel="console", due_at=NOW - SECOND)
    assert next_visible_at("email") == NOW + SECOND
    assert next_visible_at("email", "console") == next_visible_at() == NOW - SECOND
    assert next_visible_at("push") is None
