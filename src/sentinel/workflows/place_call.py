"""A press on "Call": whoever may act on a problem lets Sentinel ring them, then the worker.

It writes a wish and a message; the engine dials. Who dials has taken the problem, and nothing else changes:
the duty stays armed until somebody has said what came of the call.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.messages import whisper
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason, WhyNot, why_not
from sentinel.calls.selectors import call_going_on
from sentinel.calls.services import ask_to_hang_up, lock_call, store_placed_call
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import was_withdrawn
from sentinel.outbox.services import NewMessage, enqueue, withdraw
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.services import lock_problem
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import take
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.call_facts import place_facts, why_not_any_more
from sentinel.workflows.duties import duty_of
from sentinel.workflows.follow_call import follow_event, take_back

#: The outbox channel of calls, and the kind of the message that lets telephones ring.
CHANNEL = "voice"
KIND = "call.place"


@again_after_collision
def place_call(*, problem_id: int, user: User, now: datetime) -> PlacedCall:
    """Ask for a call about a problem; the owner's telephone rings a moment later.

    A second press returns the call that is going on. Raises CallRefused with why not, NotFound and
    NotAllowed for whoever may not act on the problem.
    """
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        going_on = call_going_on(problem.pk)
        if going_on is not None and going_on.user_id == user.pk:
            return going_on
        facts = place_facts(problem, user=user, now=now)
        why = why_not(facts, now=now)
        if why is not None:
            raise CallRefused(why)
        # Before any event: it may wait for another press of the same user, and must not hold a stream then.
        call = store_placed_call(
            problem=problem,
            user=user,
            provider=facts.provider,
            owner_number=facts.owner_number,
            worker_number=facts.worker_number,
            now=now,
        )
        enqueue([_message(call, problem, user)], now=now)
        record_event(
            verb=Verb.CALL_REQUESTED,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={"provider": call.provider, "number": call.worker_number, "call": call.pk},
        )
        duty = duty_of(problem)
        if duty.kind == DutyKind.ACKNOWLEDGE.value:
            take(problem, duty=duty, user=user, now=now)
        return call


def why_no_call(problem: Problem, *, user: User, now: datetime) -> WhyNot | None:
    """Why this user may not place a call about the problem now; None when a press would ring."""
    return why_not(place_facts(problem, user=user, now=now), now=now)


@again_after_collision
def hang_up_call(*, call_id: int, user: User, now: datetime) -> None:
    """End a call that the user asked for, in whatever state it is. One that no engine has taken yet never
    rings. Raises NotFound, NotAllowed for somebody else's call."""
    calls = PlacedCall.objects.filter(pk=call_id, problem__isnull=False)
    found = calls.values_list("problem_id", "user_id").first()
    if found is None:
        raise NotFound("call_unknown", "There is no such call.")
    problem_id, caller_id = found
    if caller_id != user.pk:
        raise NotAllowed("call_of_other", "Only whoever asked for a call can end it.")
    with transaction.atomic():
        lock_for_user(problem_id=problem_id, user=user, now=now)
        call = lock_call(call_id)
        if not call.is_going_on:
            return
        ask_to_hang_up(call=call, now=now)
        if withdraw([message_key(call.key)], now=now):
            follow_event(
                provider=call.provider,
                event=CallEvent(
                    key=call.key,
                    ref="",
                    event_id="taken-back",
                    state=CallState.ENDED,
                    at=now,
                    reason=EndReason.CANCELLED,
                ),
                now=now,
            )


def end_if_withdrawn(call: PlacedCall, *, now: datetime) -> bool:
    """End a call whose message was taken back before any engine took it, as closing and reopening do: it
    will never ring, and its caller must be free for the next one. Returns whether it ended."""
    if call.problem_id is None or call.state != CallState.REQUESTED.value or call.provider_ref:
        return False
    if not was_withdrawn(message_key(call.key)):
        return False
    with transaction.atomic():
        problem = lock_problem(call.problem_id)
        return take_back(key=call.key, why=why_not_any_more(call, problem, now=now), now=now)


def message_key(call_key: str) -> str:
    """The name of the message that lets a call ring."""
    return dedupe_key("call", call_key)


def _message(call: PlacedCall, problem: Problem, user: User) -> NewMessage:
    said = whisper(
        language=user.language, worker=problem.worker.name, site=problem.site.name, words=problem.words
    )
    return NewMessage(
        dedupe_key=message_key(call.key),
        channel=CHANNEL,
        kind=KIND,
        recipient_kind="user",
        recipient_id=user.pk,
        address=call.owner_number,
        priority=Priority.ALARM,
        payload={
            "key": call.key,
            "owner_number": call.owner_number,
            "worker_number": call.worker_number,
            "whisper": said,
            "language": user.language,
        },
        account_id=problem.account_id,
        problem_id=problem.pk,
    )
