"""What a provider says about a placed call, written down once and in the right order.

Every piece of news is one transaction: the call's row, its step, the timeline and what follows from an end.
A connected call closes nothing: its caller is asked how it went, and the duty stays armed until they say so.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from sentinel.calls.errors import sentence
from sentinel.calls.messages import Ended
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason, Leg, WhyNot, rank, was_tried
from sentinel.calls.selectors import call_by_key
from sentinel.calls.services import (
    Taken,
    begin_placing,
    lock_call,
    name_call,
    take_back_placing,
    take_event,
)
from sentinel.kernel import traces
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome
from sentinel.problems.services import lock_problem
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, user_actor
from sentinel.workflows.call_facts import why_not_any_more
from sentinel.workflows.log_call import log_outcome
from sentinel.workflows.tell_caller import tell_caller
from sentinel.workflows.test_call import follow_test

logger = logging.getLogger(__name__)

_VERBS = {
    CallState.OWNER_ANSWERED: Verb.CALL_OWNER_ANSWERED,
    CallState.DIALING_WORKER: Verb.CALL_WORKER_DIALED,
    CallState.BRIDGED: Verb.CALL_BRIDGED,
    CallState.ENDED: Verb.CALL_ENDED,
}


@again_after_collision
def follow_event(*, provider: str, event: CallEvent, why: WhyNot | None = None, now: datetime) -> bool:
    """Take one event of a provider; returns whether the call came further. Repeats, late news and calls
    nobody asked for change nothing, so it may be said again and in any order.

    ``why``: what the rules said, when Sentinel itself did not let the call ring.
    """
    found = call_by_key(event.key)
    if found is None or found.provider != provider:
        logger.warning("an event of %s about a call nobody asked for", provider)
        return False
    if found.problem_id is None:
        return follow_test(call_id=found.pk, event=event, now=now)
    with traces.about(problem_id=found.problem_id), transaction.atomic():
        problem = lock_problem(found.problem_id)
        call = lock_call(found.pk)
        taken = take_event(call=call, event=event, now=now)
        if taken is None:
            return False
        if taken.is_news:
            logger.info("call %s: %s", call.pk, call.state)
        verb = _VERBS.get(event.state)
        if verb is not None and (taken.is_news or _is_late_news(call, event, taken)):
            _record(call, problem, verb, event, at=taken.at)
        if taken.is_news and event.state is CallState.ENDED:
            _after_the_end(call, problem, why=why, now=now)
        return taken.is_news


def wish_to_place(*, key: str, can_ask: bool, now: datetime) -> bool:
    """Whether the call of that name may ring now; the sender asks before every placing.

    Not when it was ended or taken back meanwhile, nor when a provider has it already, whoever placed it and
    whether they still live. An engine that froze or died while it asked leaves the question open whether a
    telephone rings: only where the provider itself can be asked (``can_ask``) another one goes on. Otherwise
    nothing rings twice, and the pass that follows calls tells the caller.

    Nor when it may not be placed any more: closed meanwhile, not wanted by the worker, their day over. Then
    it ends here, and its caller hears why.
    """
    found = call_by_key(key)
    if found is None:
        return False
    with transaction.atomic():
        problem = lock_problem(found.problem_id) if found.problem_id else None
        call = lock_call(found.pk)
        waits = rank(CallState(call.state)) < rank(CallState.OWNER_ANSWERED) and not call.provider_ref
        if not waits or (call.placing_at is not None and not can_ask):
            return False
        why = why_not_any_more(call, problem, now=now) if problem else None
        if why is None and call.hang_up_asked_at is None:
            begin_placing(call=call, now=now)
            return True
        take_back(key=key, why=why, now=now)
    return False


def was_refused(*, key: str) -> None:
    """The provider would not take the call just now: no telephone rings, and it may be asked again."""
    found = call_by_key(key)
    if found is not None:
        with transaction.atomic():
            take_back_placing(call=lock_call(found.pk))


def take_back(*, key: str, why: WhyNot | None, now: datetime) -> bool:
    """End a call before it rings; ``why``: what stands against it, if anything but a wish does."""
    detail = sentence(why) if why else ""
    return end_call(
        key=key, event_id="taken-back", reason=EndReason.CANCELLED, detail=detail, why=why, now=now
    )


def was_placed(*, key: str, ref: str, now: datetime) -> None:
    """The provider accepted the call; ``ref`` is its name there."""
    found = call_by_key(key)
    if found is not None:
        with transaction.atomic():
            name_call(call=lock_call(found.pk), ref=ref, now=now)


def could_not_place(*, key: str, reason: str, now: datetime) -> bool:
    """No telephone rings, and none will: the caller is told at once, with the number to dial.

    False, and nothing happens, when a provider has the call all the same: an engine that died in between
    could not write it down, and people may be talking. Whoever follows calls ends it then.
    """
    found = call_by_key(key)
    with transaction.atomic():
        if found is not None:
            if found.problem_id:
                lock_problem(found.problem_id)
            if lock_call(found.pk).provider_ref:
                return False
        end_call(key=key, event_id="not-placed", reason=EndReason.FAILED, detail=reason, now=now)
    return True


def end_call(
    *, key: str, event_id: str, reason: EndReason, detail: str, why: WhyNot | None = None, now: datetime
) -> bool:
    """End a call on our own account, because nobody else will say anything about it any more."""
    found = call_by_key(key)
    if found is None:
        return False
    event = CallEvent(
        key=key, ref="", event_id=event_id, state=CallState.ENDED, at=now, reason=reason, detail=detail
    )
    return follow_event(provider=found.provider, event=event, why=why, now=now)


def _is_late_news(call: PlacedCall, event: CallEvent, taken: Taken) -> bool:
    """A step that somebody said only afterwards still belongs to the story, at its own time."""
    return taken.is_first and event.state is not CallState.ENDED


def _record(call: PlacedCall, problem: Problem, verb: Verb, event: CallEvent, *, at: datetime) -> None:
    data: dict[str, object] = {"call": call.pk}
    if verb is Verb.CALL_ENDED:
        data |= {"reason": call.reason, "seconds": call.talk_seconds, "detail": call.detail}
        if call.failed_leg:
            data["leg"] = call.failed_leg
    picked_up = verb is Verb.CALL_OWNER_ANSWERED
    record_event(
        verb=verb,
        at=at,
        actor=user_actor(call.user) if picked_up else ENGINE,
        about=about_problem(problem, user=call.user),
        data=data,
    )


def _after_the_end(call: PlacedCall, problem: Problem, *, why: WhyNot | None, now: datetime) -> None:
    """Whatever fails here must not undo that the call is over: then the duty's own timer goes on."""
    try:
        with transaction.atomic():
            _draw_conclusions(call, problem, why=why, now=now)
    except (OperationalError, InterfaceError):
        raise  # the whole event is tried again
    except Exception:
        logger.exception("what follows from the end of call %s could not be done", call.pk)


def _draw_conclusions(call: PlacedCall, problem: Problem, *, why: WhyNot | None, now: datetime) -> None:
    reason = EndReason(call.reason)
    leg = Leg(call.failed_leg) if call.failed_leg else None
    if why is not None and call.outcome_id is None and call.hang_up_asked_at is None:
        tell_caller(call, problem, ended=Ended.REFUSED, why=why, now=now)
        return  # somebody waits for their telephone to ring, also about a problem that is closed by now
    if not problem.is_open or call.outcome_id is not None:
        return  # nothing is owed any more, or the caller was faster
    if call.bridged_at is not None or reason is EndReason.COMPLETED:
        ended = Ended.LOST if reason is EndReason.LOST else Ended.HOW_WAS_IT
    elif was_tried(reason, leg):
        note = f"Placed by Sentinel: {reason.value.replace('_', ' ')}"
        log_outcome(
            problem,
            user=call.user,
            outcome=CallOutcome.NO_ANSWER,
            note=f"{note} ({call.detail})" if call.detail else note,
            number=call.worker_number[:32],
            placed=call,
            now=now,
        )
        ended = Ended.TRIED
    elif reason is EndReason.LOST:
        ended = Ended.LOST
    elif reason is EndReason.CANCELLED and call.hang_up_asked_at is not None:
        return  # they know
    else:
        ended = Ended.NOTHING
    tell_caller(call, problem, ended=ended, now=now)
