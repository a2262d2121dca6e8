"""How far a placed call is, and what became of it, in the words of whoever looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from sentinel.accounts.selectors import calendar_of_site
from sentinel.calls.exchanges import silent_exchange
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, EndReason, Leg, Provider, WhyNot, rank
from sentinel.calls.selectors import (
    IS_TO_BE_TOLD,
    awaiting_outcome,
    call_going_on,
    is_to_be_told,
    newest_call,
    newest_test,
    own_call_going_on,
)
from sentinel.escalation.models import Duty
from sentinel.kernel.calendars import NeverOpen
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.selectors import problems_visible_to
from sentinel.web.reads.conversations import clock_text
from sentinel.workflows.duties import back_at_work
from sentinel.workflows.place_call import why_no_call

#: So long the brief still tells how a call ended that needs no word from anybody.
TOLD_FOR = timedelta(minutes=10)
_OPEN = [state.value for state in OPEN_STATES]

# Sentences by whose telephone it was: {who} is "You" or a name, {whose} "Your" or "Maria's".
_ENDS: dict[tuple[str, str], str] = {
    (Leg.OWNER, EndReason.BUSY): "{whose} telephone was busy",
    (Leg.OWNER, EndReason.NO_ANSWER): "{who} did not pick up",
    (Leg.OWNER, EndReason.DECLINED): "{whose} telephone declined the call",
    (Leg.OWNER, EndReason.UNREACHABLE): "{whose} telephone cannot be reached",
    (Leg.OWNER, EndReason.MACHINE): "{whose} voicemail picked up",
    (Leg.WORKER, EndReason.BUSY): "{worker}’s telephone was busy",
    (Leg.WORKER, EndReason.NO_ANSWER): "{worker} did not pick up",
    (Leg.WORKER, EndReason.DECLINED): "{worker} declined the call",
    (Leg.WORKER, EndReason.UNREACHABLE): "{worker}’s number cannot be reached",
    (Leg.WORKER, EndReason.MACHINE): "{worker}’s voicemail picked up",
}
_ENDS_ANYHOW: dict[str, str] = {
    EndReason.COMPLETED: "{who} talked with {worker} for {talked}",
    EndReason.BUSY: "The line was busy",
    EndReason.NO_ANSWER: "Nobody picked up",
    EndReason.DECLINED: "The call was declined",
    EndReason.UNREACHABLE: "The number cannot be reached",
    EndReason.MACHINE: "A voicemail picked up",
    EndReason.CANCELLED: "Ended before {worker} picked up",
    EndReason.FAILED: "The call could not be placed",
    EndReason.LOST: "Nobody knows what became of the call",
    EndReason.UNHEARD: "The voice service took the call, and nothing more was heard of it",
}

_RINGS_AFTER = {
    CallState.DIALING_OWNER: CallState.OWNER_RINGS,
    CallState.DIALING_WORKER: CallState.WORKER_RINGS,
}
# A voice service cannot tell a person from a voicemail otherwise.
_PRESS_1: dict[str, str] = {
    CallState.REQUESTED: "Pick up and press 1; nobody else is called before.",
    CallState.DIALING_OWNER: "Pick up and press 1; nobody else is called before.",
    CallState.OWNER_RINGS: "Pick up and press 1; nobody else is called before.",
    CallState.OWNER_ANSWERED: "Press 1 on your telephone to be connected.",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of the four steps of a call."""

    text: str
    is_done: bool
    is_now: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """The telephone of the call brief, for one viewer.

    ``call``: the one that goes on, or the viewer's own that ended just now; ``why_not``: what stands against
    a new one, ``possible_at`` from when on it can be placed; ``busy_with``: the viewer's call about another
    problem; ``is_testing``: it is their test call that goes on. ``again_at``: the next try, when Sentinel
    itself has noted that the worker was not reached. ``silent_since``: when the exchange last
    stopped answering.
    """

    call: PlacedCall | None
    is_mine: bool
    headline: str
    note: str
    steps: tuple[Step, ...]
    why_not: WhyNot | None
    possible_at: datetime | None
    busy_with: PlacedCall | None
    is_testing: bool
    again_at: datetime | None
    talked: str
    silent_since: datetime | None

    @property
    def is_going_on(self) -> bool:
        """A telephone rings, or two people talk."""
        return self.call is not None and self.call.is_going_on

    @property
    def is_connected(self) -> bool:
        """Two people talk."""
        return self.call is not None and self.call.state == CallState.BRIDGED.value

    @property
    def is_hanging_up(self) -> bool:
        """Somebody wants it ended."""
        return self.is_going_on and self.call is not None and self.call.hang_up_asked_at is not None

    @property
    def asks(self) -> bool:
        """The two talked, and nobody has said yet how it went."""
        call = self.call
        return call is not None and self.is_mine and call.outcome_id is None and is_to_be_told(call)

    @property
    def offers_outcome(self) -> bool:
        """Whether an outcome can be said now: not while it rings, nor when Sentinel has noted one."""
        if self.is_going_on:
            return self.is_connected and self.is_mine
        return self.call is None or self.call.outcome_id is None

    @property
    def tone(self) -> str:
        """How it looks."""
        if self.is_connected or (self.call is not None and has_talked(self.call)):
            return "calm"
        return "info" if self.is_going_on else "soon"

    @property
    def fingerprint(self) -> str:
        """Changes exactly when there is something new to say; the seconds are not."""
        call = self.call
        if call is None:
            return f"none-{self.why_not or ''}-{int(self.silent_since is not None)}"
        return f"{call.pk}-{call.state}-{call.reason}-{call.outcome_id or ''}-{int(self.is_hanging_up)}"


def is_dialled_by_hand() -> bool:
    """Whether nobody places calls here: people dial themselves."""
    return str(settings.CALLS_BY.provider) == "tel"


def silent_since(now: datetime) -> datetime | None:
    """Since when whoever places calls does not answer; None while they do, or while nobody knows."""
    beat = silent_exchange(str(settings.CALLS_BY.provider), now=now)
    return beat.silent_since if beat is not None else None


def line_of(problem: Problem, *, user: User, duty: Duty | None, now: datetime) -> Line:
    """The telephone as this user sees it now."""
    call = call_going_on(problem.pk) or _just_ended(problem, user, now)
    is_mine = call is not None and call.user_id == user.pk
    blocked = None if call is not None and call.is_going_on else why_no_call(problem, user=user, now=now)
    worker = problem.worker.name
    is_ringing = call is not None and call.is_going_on and not call.bridged_at
    noted = call is not None and not call.is_going_on and call.outcome_id is not None
    return Line(
        call=call,
        is_mine=is_mine,
        headline=_headline(call, worker, is_mine=is_mine, now=now) if call else "",
        note=_note(call, worker) if call and is_mine else "",
        steps=_steps(call, worker, is_mine=is_mine) if call and is_ringing else (),
        why_not=blocked,
        possible_at=_possible_at(problem, now) if blocked is WhyNot.OUTSIDE_HOURS else None,
        busy_with=own_call_going_on(user.pk) if blocked is WhyNot.TALKING else None,
        is_testing=blocked is WhyNot.TALKING and _tests(user),
        again_at=duty.due_at if duty is not None and noted else None,
        talked=talked_for(call, now) if call else "",
        silent_since=None if call is not None and call.is_going_on else silent_since(now),
    )


def _tests(user: User) -> bool:
    test = newest_test(user.pk)
    return test is not None and test.is_going_on


def _just_ended(problem: Problem, user: User, now: datetime) -> PlacedCall | None:
    """The viewer's newest call while it is news, or while its outcome is owed."""
    call = newest_call(problem.pk, user.pk)
    if call is None or call.ended_at is None:
        return None
    if is_to_be_told(call):
        return call if call.outcome_id is None else None
    later = problem.calls.filter(at__gte=call.ended_at)
    has_gone_on = any(pk != call.outcome_id for pk in later.values_list("pk", flat=True))
    return call if call.ended_at > now - TOLD_FOR and not has_gone_on else None


def _possible_at(problem: Problem, now: datetime) -> datetime | None:
    """When the worker is at work next; None when their calendar is empty."""
    try:
        return calendar_of_site(problem.site).next_open(back_at_work(problem, now) or now)
    except NeverOpen:
        return None


def has_talked(call: PlacedCall) -> bool:
    """Whether the two were connected."""
    return call.bridged_at is not None or call.reason == EndReason.COMPLETED.value


def talked_for(call: PlacedCall, now: datetime) -> str:
    """How long the two have talked or talked, like 2:14; it counts up while they do."""
    if call.is_going_on:
        seconds = int((now - call.bridged_at).total_seconds()) if call.bridged_at else 0
    else:
        seconds = call.talk_seconds
    return clock_text(seconds)


def _headline(call: PlacedCall, worker: str, *, is_mine: bool, now: datetime) -> str:
    name = call.user.name
    if not call.is_going_on:
        reason = EndReason.COMPLETED.value if has_talked(call) and call.talk_seconds else call.reason
        pattern = _ENDS.get((call.failed_leg, reason)) or _ENDS_ANYHOW[reason]
        who, whose = ("You", "Your") if is_mine else (name, f"{name}’s")
        return pattern.format(who=who, whose=whose, worker=worker, talked=talked_for(call, now))
    if call.hang_up_asked_at is not None:
        return "Hanging up …"
    mine, theirs = {
        CallState.REQUESTED: ("Your telephone rings in a moment", "{name} is about to be called"),
        CallState.DIALING_OWNER: ("Calling your telephone …", "Calling {name} …"),
        CallState.OWNER_RINGS: ("Your telephone rings: pick up", "{name}’s telephone rings"),
        CallState.OWNER_ANSWERED: ("You picked up; {worker} is called next", "{name} picked up"),
        CallState.DIALING_WORKER: ("Calling {worker} …",) * 2,
        CallState.WORKER_RINGS: ("{worker}’s telephone rings",) * 2,
        CallState.BRIDGED: ("You are connected with {worker}", "{name} talks with {worker}"),
    }[CallState(call.state)]
    return (mine if is_mine else theirs).format(name=name, worker=worker)


def _note(call: PlacedCall, worker: str) -> str:
    if call.is_going_on:
        return _PRESS_1.get(call.state, "") if call.provider == Provider.HTTP_VOICE.value else ""
    if has_talked(call):
        return "How did it go? The next step follows from what you say."
    if call.reason == EndReason.LOST.value:
        return "If you talked, say how it went. Otherwise try again, or dial yourself."
    if call.reason == EndReason.UNHEARD.value:
        return (
            "None of its reports reaches Sentinel: tell an administrator to check SENTINEL_BASE_URL."
            " Until then dial yourself."
        )
    if call.outcome_id is not None:
        return "It is noted as no answer, and the ladder goes on."
    if call.reason == EndReason.FAILED.value:
        said = (call.detail or "the exchange did not say why").rstrip(".")
        return f"{said[:1].upper()}{said[1:]}. Try again, or dial yourself."
    if call.reason == EndReason.CANCELLED.value and call.detail and not call.provider_ref:
        return call.detail  # Sentinel itself did not let it ring, and says why
    if call.failed_leg == Leg.OWNER.value:
        return f"{worker}’s telephone did not ring, and nothing is noted."
    return "Nothing is noted. Try again when you like."


def _steps(call: PlacedCall, worker: str, *, is_mine: bool) -> tuple[Step, ...]:
    name = call.user.name
    state = CallState(call.state)
    named = (
        (CallState.OWNER_RINGS, "Your telephone rings" if is_mine else f"{name}’s telephone rings"),
        (CallState.OWNER_ANSWERED, "You pick up" if is_mine else f"{name} picks up"),
        (CallState.WORKER_RINGS, f"{worker}’s telephone rings"),
        (CallState.BRIDGED, "You talk" if is_mine else "They talk"),
    )
    # Until an exchange says that a telephone rings, it is only called.
    calling = {
        CallState.DIALING_OWNER: "Calling your telephone" if is_mine else f"Calling {name}",
        CallState.DIALING_WORKER: f"Calling {worker}",
    }
    return tuple(
        Step(
            text=calling[state] if (is_called := _RINGS_AFTER.get(state) is step) else text,
            is_done=rank(state) > rank(step),
            is_now=is_called or state is step,
        )
        for step, text in named
    )


def outcomes_owed_by(user: User, now: datetime) -> list[PlacedCall]:
    """Calls in which this user talked with a worker and has not said how it went, the oldest first.

    Only about problems that are still theirs to see: for others nothing can be logged any more.
    """
    visible = problems_visible_to(user, now).values("pk")
    rows = awaiting_outcome(user.pk).filter(problem__in=visible)
    return list(rows.select_related("problem__worker", "problem__site__account").order_by("ended_at"))


def calls_seen_by(user: User, now: datetime) -> tuple[list[PlacedCall], list[PlacedCall]]:
    """For managers: calls that go on, and calls after which nobody has said how it went, of problems they
    may see."""
    visible = problems_visible_to(user, now).filter(state__in=_OPEN).values("pk")
    rows = PlacedCall.objects.filter(problem__in=visible, outcome=None).order_by("requested_at")
    rows = rows.select_related("user", "problem__worker", "problem__site__account")
    return list(rows.filter(ended_at=None)), list(rows.filter(IS_TO_BE_TOLD))
