"""A placed call in a history: its five or six events told as one, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import EndReason, Leg
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.ui.formatting import telephone_text
from sentinel.web import words

_STEPS: dict[str, str] = {
    Verb.CALL_REQUESTED: "Call started by {caller}",
    Verb.CALL_OWNER_ANSWERED: "{caller} picked up",
    Verb.CALL_WORKER_DIALED: "The worker’s number was dialled",
    Verb.CALL_BRIDGED: "Connected",
}
_WORKERS_END: dict[str, str] = {
    EndReason.BUSY: "the worker’s line was busy",
    EndReason.NO_ANSWER: "the worker did not pick up",
    EndReason.DECLINED: "the worker declined",
    EndReason.UNREACHABLE: "the worker’s number cannot be reached",
    EndReason.MACHINE: "the worker’s voicemail picked up",
}
_CALLERS_END: dict[str, str] = {
    EndReason.BUSY: "{caller}’s line was busy",
    EndReason.NO_ANSWER: "{caller} did not pick up",
    EndReason.DECLINED: "{caller}’s telephone declined",
    EndReason.UNREACHABLE: "{caller}’s number cannot be reached",
    EndReason.MACHINE: "{caller}’s voicemail picked up",
}
_ANY_END: dict[str, str] = {
    EndReason.CANCELLED: "taken back",
    EndReason.FAILED: "it could not be placed",
    EndReason.LOST: "Sentinel lost sight of it",
    EndReason.UNHEARD: "nothing that the voice service reported reached Sentinel",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a call, at its own second."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A placed call as one entry of a history. ``said``: what the caller noted and the exchange said."""

    title: str
    tone: str
    caller: str
    steps: tuple[Step, ...]
    said: tuple[tuple[str, str], ...]


def clock_text(seconds: int) -> str:
    """Minutes and seconds as a telephone shows them: 2:14, 1:02:05."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def conversations_in(events: Iterable[Event]) -> dict[int, Conversation | None]:
    """Events of placed calls, by their ids: the first of each call holds all of it, the others nothing."""
    rows = list(events)
    groups: dict[int, list[Event]] = {}
    for event in rows:
        if event.verb in (*_STEPS, Verb.CALL_ENDED) and event.data.get("call"):
            groups.setdefault(int(event.data["call"]), []).append(event)
    if not groups:
        return {}
    outcomes = PlacedCall.objects.filter(pk__in=groups, outcome__isnull=False)
    rows_of = outcomes.values_list("pk", "problem_id", "outcome__at")
    logged: dict[tuple[int | None, datetime], int] = {(problem, at): pk for pk, problem, at in rows_of}
    for event in rows:
        if event.verb == Verb.CALL_LOGGED and (event.problem_id, event.at) in logged:
            groups[logged[event.problem_id, event.at]].append(event)
    found: dict[int, Conversation | None] = {}
    for members in groups.values():
        # An exchange may say a step late, but a step's own time is in order.
        members.sort(key=lambda event: (event.at, event.pk))
        found |= dict.fromkeys((event.pk for event in members), None)
        found[members[0].pk] = _told(members)
    return found


def _told(members: list[Event]) -> Conversation:
    by_verb = {event.verb: event for event in members}
    begun, ended = by_verb.get(Verb.CALL_REQUESTED), by_verb.get(Verb.CALL_ENDED)
    picked_up, logged = by_verb.get(Verb.CALL_OWNER_ANSWERED), by_verb.get(Verb.CALL_LOGGED)
    named = begun or picked_up or logged
    caller = named.actor_name if named is not None and named.actor_name else "the caller"
    is_connected = Verb.CALL_BRIDGED in by_verb
    end = _end(ended.data, caller=caller, is_connected=is_connected) if ended is not None else ""
    outcome = words.OUTCOMES.get(str(logged.data.get("outcome")), "").lower() if logged is not None else ""
    steps = [Step(at=e.at, text=_STEPS[e.verb].format(caller=caller)) for e in members if e.verb in _STEPS]
    if ended is not None:
        steps.append(Step(at=ended.at, text=f"Ended: {end}"))
    if logged is not None:
        steps.append(Step(at=logged.at, text=f"Outcome: {outcome}"))
    has_talked = is_connected or (ended is not None and ended.data.get("reason") == EndReason.COMPLETED)
    missing = "nobody has said how it went" if has_talked and ended is not None and logged is None else ""
    return Conversation(
        title=f"Call: {', '.join(part for part in (end or 'under way', outcome or missing) if part)}",
        tone="calm" if has_talked and not missing else "soon" if ended is not None else "info",
        caller=caller,
        steps=tuple(steps),
        said=tuple(_said(by_verb)),
    )


def _end(data: Mapping[str, Any], *, caller: str, is_connected: bool) -> str:
    reason, leg = str(data.get("reason", "")), str(data.get("leg", ""))
    seconds = int(data.get("seconds") or 0)
    if reason == EndReason.COMPLETED or (is_connected and seconds):
        return f"talked for {clock_text(seconds)}"
    named = _WORKERS_END if leg == Leg.WORKER else _CALLERS_END if leg == Leg.OWNER else {}
    return (named.get(reason) or _ANY_END.get(reason) or reason.replace("_", " ")).format(caller=caller)


def _said(by_verb: Mapping[str, Event]) -> Iterable[tuple[str, str]]:
    for verb, key, name in (
        (Verb.CALL_REQUESTED, "number", "Number"),
        (Verb.CALL_LOGGED, "note", "Note"),
        (Verb.CALL_ENDED, "detail", "Detail"),
    ):
        value = by_verb[verb].data.get(key) if verb in by_verb else ""
        if value:
            yield name, telephone_text(str(value)) if key == "number" else str(value)
