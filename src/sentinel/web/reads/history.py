"""The timeline in plain words: events and the messages they caused, as one story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from sentinel.accounts.models import Worker
from sentinel.escalation.rules import DutyKind
from sentinel.outbox.selectors import MessageView
from sentinel.people.models import User
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import ActorKind, Verb
from sentinel.web import words
from sentinel.web.reads.conversations import Conversation, Step, conversations_in

#: verb → what happened, tone. A verb that is missing here fails a test, not the page.
TELLING: dict[str, tuple[str, str]] = {
    Verb.PROBLEM_OPENED: ("Reported", "suffer"),
    Verb.PROBLEM_ACKNOWLEDGED: ("Acknowledged", "info"),
    Verb.PROBLEM_HANDED_OVER: ("Handed over", "neutral"),
    Verb.PROBLEM_NOTED: ("Note", "neutral"),
    Verb.PROBLEM_REPLANNED: ("Ladder planned anew", "neutral"),
    Verb.PROBLEM_ENDED: ("Ended without a solution", "neutral"),
    Verb.PROBLEM_CONFIRMED: ("Confirmed solved by the worker", "calm"),
    Verb.PROBLEM_REOPENED: ("Not solved: reopened by the worker", "suffer"),
    Verb.PROBLEM_SUSPECTED_AUTOMATIC: ("A mail scanner may have pressed the face", "soon"),
    Verb.PROBLEM_DETAILED: ("The worker told more", "info"),
    Verb.CALL_LOGGED: ("Called", "info"),
    Verb.CALL_REQUESTED: ("Call started", "info"),
    Verb.CALL_OWNER_ANSWERED: ("Picked up", "info"),
    Verb.CALL_WORKER_DIALED: ("The worker's telephone rang", "info"),
    Verb.CALL_BRIDGED: ("Connected", "calm"),
    Verb.CALL_ENDED: ("Call ended", "info"),
    Verb.COMMITMENT_MADE: ("Date promised", "info"),
    Verb.COMMITMENT_MOVED: ("Promise moved", "soon"),
    Verb.COMMITMENT_MISSED: ("Promise missed", "suffer"),
    Verb.COMMITMENT_KEPT: ("Promise kept", "calm"),
    Verb.PROPOSAL_MADE: ("Proposed as solved; the worker is asked", "soon"),
    Verb.CONFIRMATION_ASKED: ("The worker was asked again", "soon"),
    Verb.CONFIRMATION_DOUBTED: ("“Yes” with words that say no: asked once more", "soon"),
    Verb.CONFIRMATION_RECORDED_BY_TELEPHONE: ("Verdict by telephone", "info"),
    Verb.CONFIRMATION_OBJECTED: ("The worker objected to the recorded yes", "suffer"),
    Verb.MANAGER_ASKED_FOR: ("The worker wants to talk to the manager", "suffer"),
    Verb.WORKER_WROTE: ("The worker wrote", "info"),
    Verb.WORKER_ANSWERED_HAPPY: ("Happy face", "calm"),
    Verb.WORKER_COMMENTED: ("The worker commented", "info"),
    Verb.RESPONSE_ANSWERED: ("Answered to the worker", "calm"),
    Verb.RESPONSE_SET_ASIDE: ("An answer was set aside as a robot's", "neutral"),
    Verb.PLEASE_CHECK_RAISED: ("Please check", "soon"),
    Verb.PLEASE_CHECK_SETTLED: ("Checked", "neutral"),
    Verb.WORKER_ADDED: ("Worker added", "neutral"),
    Verb.WORKER_CHANGED: ("Worker changed", "neutral"),
    Verb.WORKER_MOVED: ("Worker moved to another site", "neutral"),
    Verb.WORKER_LEFT: ("Worker left", "neutral"),
    Verb.WORKER_RETURNED: ("Worker came back", "neutral"),
    Verb.WORKER_SET_PREFERENCES: ("The worker chose how to be asked", "neutral"),
    Verb.WORKER_UNSUBSCRIBED: ("The worker unsubscribed", "neutral"),
    Verb.WORKER_RESUBSCRIBED: ("The worker subscribed again", "neutral"),
    Verb.WORKER_BOUNCED: ("Mail came back", "soon"),
    Verb.WORKER_REPAIRED: ("Address repaired", "calm"),
    Verb.ROSTER_IMPORTED: ("Roster imported", "neutral"),
    Verb.ACCOUNT_CREATED: ("Account created", "neutral"),
    Verb.ACCOUNT_CHANGED: ("Account changed", "neutral"),
    Verb.ACCOUNT_HANDED_OVER: ("Account handed over", "neutral"),
    Verb.SITE_ADDED: ("Site added", "neutral"),
    Verb.SITE_CHANGED: ("Site changed", "neutral"),
    Verb.FINDING_OPENED: ("The auditor found something wrong", "suffer"),
    Verb.FINDING_REPAIRED: ("The auditor mended something", "soon"),
    Verb.FINDING_OVER: ("What the auditor found is over", "calm"),
    Verb.USER_ADDED: ("User added", "neutral"),
    Verb.USER_CHANGED: ("User changed", "neutral"),
    Verb.USER_BACK: ("Back again", "neutral"),
    Verb.PERMISSION_GRANTED: ("Permission recorded", "calm"),
    Verb.PERMISSION_WITHDRAWN: ("Permission withdrawn", "soon"),
    Verb.CHECK_IN_SENT: ("Check-in sent", "neutral"),
    Verb.DUTY_SET: ("Next duty", "neutral"),
    Verb.DUTY_FIRED: ("The ladder climbed", "suffer"),
    Verb.DUTY_COLLAPSED: ("Several steps told as one", "neutral"),
    Verb.DUTY_TAKEN_OVER: ("Taken over", "soon"),
    Verb.DUTY_QUARANTINED: ("The timer failed; an administrator must look", "suffer"),
    Verb.MESSAGE_FAILED: ("A message did not arrive", "suffer"),
    Verb.DELIVERY_FAILED: ("A check-in did not arrive", "soon"),
    Verb.RUN_PAUSED: ("Check-ins stopped", "soon"),
    Verb.RUN_RESUMED: ("Check-ins go on", "neutral"),
    Verb.RUN_RETRIED: ("Failed check-ins tried again", "neutral"),
    Verb.LANE_PAUSED: ("Mail to a domain stands still", "soon"),
    Verb.LANE_RESUMED: ("Mail to a domain goes on", "neutral"),
    Verb.LANE_CHANGED: ("A domain's pace was limited", "neutral"),
    Verb.MAIL_RECEIVED: ("A mail came in", "neutral"),
    Verb.MAIL_SETTLED: ("A mail was dealt with", "neutral"),
    Verb.MAIL_BOUNCED: ("A delivery report came", "soon"),
    Verb.WORKER_AWAY: ("The worker is away", "neutral"),
    Verb.WORKER_COMPLAINED_OF_MAIL: ("Marked our mail as spam", "suffer"),
    Verb.ADDRESS_SUPPRESSED: ("Left alone from now on", "soon"),
    Verb.SUPPRESSION_LIFTED: ("May be asked again", "neutral"),
    Verb.BRAKE_SET: ("Too many complaints: check-ins stand still", "suffer"),
    Verb.BRAKE_RELEASED: ("Check-ins go on after complaints", "neutral"),
    Verb.USER_ABSENT: ("Absence recorded", "neutral"),
    Verb.USER_SIGNED_IN: ("Signed in", "neutral"),
    Verb.CONTACT_ADDED: ("A way to be reached was added", "neutral"),
    Verb.CONTACT_VERIFIED: ("A way to be reached works", "calm"),
    Verb.CONTACT_SWITCHED: ("A way to be reached was switched", "neutral"),
    Verb.CONTACT_REMOVED: ("A way to be reached was removed", "neutral"),
    Verb.CONTACT_TESTED: ("A test message was sent", "neutral"),
    Verb.CONTACT_MAIL_REFUSED: ("A mail server refused the user's address", "suffer"),
    Verb.USER_QUIET_HOURS: ("Quiet hours set", "neutral"),
    Verb.NOTICE_PASSED_ON: ("Could not be reached; the next person was told", "suffer"),
    Verb.HOOK_ADDED: ("A webhook was added", "neutral"),
    Verb.HOOK_SWITCHED: ("A webhook was switched", "neutral"),
    Verb.HOOK_REMOVED: ("A webhook was removed", "neutral"),
    Verb.OFFICER_ASSIGNED: ("Officer of the day set", "neutral"),
    Verb.NOTICES_MUTED: ("Notices were muted", "soon"),
    Verb.NOTICES_UNMUTED: ("Notices go out again", "neutral"),
    Verb.PROBLEM_CAUSE_SET: ("Shares a cause with others", "neutral"),
    Verb.SWAP_ASKED: ("Asked to take a day of the rota", "neutral"),
    Verb.SWAP_ACCEPTED: ("Took a day of the rota", "calm"),
    Verb.SWAP_DECLINED: ("Did not take a day of the rota", "neutral"),
    Verb.SWAP_WITHDRAWN: ("Took back the question for a day of the rota", "neutral"),
    Verb.SHIFT_NOTE_LEFT: ("The officer left a note", "neutral"),
    Verb.FEED_MADE: ("A calendar address was made", "neutral"),
    Verb.FEED_ENDED: ("A calendar address was ended", "neutral"),
    Verb.CALENDAR_KEPT: ("Absences are taken from a calendar", "neutral"),
    Verb.CALENDAR_ENDED: ("Absences are no longer taken from a calendar", "neutral"),
    Verb.PROGRAMME_CHANGED: ("Programme changed", "neutral"),
    Verb.LADDER_CHANGED: ("Ladder changed", "neutral"),
    Verb.CLOCK_ADVANCED: ("Demonstration clock moved", "neutral"),
}

#: keys of an event's data that are worth a line, with what to call them
_FACTS = (
    ("to", "To"),
    ("to_name", "To"),
    ("accountable", "Answers for it"),
    ("manager", "Manager"),
    ("given_by", "Given by"),
    ("before", "Instead of"),
    ("due_on", "By"),
    ("what", "What"),
    ("what_was_done", "What was done"),
    ("root_cause", "Root cause"),
    ("reason", "Why"),
    ("why", "Why"),
    ("note", "Note"),
    ("number", "Number"),
)
_WORDS = ("words", "doubted_words")
_BY_WORKER = "text"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message of a moment: to whom, how, what became of it and when, and when it was read."""

    to: str
    channel: str
    kind: str
    subject: str
    state: str
    tone: str
    error: str = ""
    at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One entry of a history. ``verbatim`` is what the worker said, ``facts`` pairs of name and value,
    ``steps`` those of a call."""

    at: datetime
    title: str
    tone: str
    who: str = ""
    verbatim: str = ""
    language: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    sent: tuple[Sent, ...] = field(default=())
    steps: tuple[Step, ...] = field(default=())
    problem_id: int | None = None


def tell(events: Iterable[Event], *, language: str = "", with_subject: bool = False) -> list[Moment]:
    """Events as moments, in the order given; all of a placed call stands where it began."""
    rows = list(events)
    names = worker_names({e.worker_id for e in rows if e.worker_id}) if with_subject else {}
    calls = conversations_in(rows)
    return [
        _call_moment(moment, call) if (call := calls.get(event.pk)) else moment
        for event in rows
        if event.pk not in calls or calls[event.pk]
        for moment in (_moment(event, language=language, about=names.get(event.worker_id or 0, "")),)
    ]


def _call_moment(begun: Moment, call: Conversation) -> Moment:
    about = tuple(fact for fact in begun.facts if fact[0] == "Worker")
    facts = (*about, *call.said)
    return replace(begun, title=call.title, tone=call.tone, who=call.caller, facts=facts, steps=call.steps)


def worker_names(ids: set[int]) -> dict[int, str]:
    """Names of workers by id."""
    return dict(Worker.objects.filter(pk__in=ids).values_list("pk", "name"))


def _moment(event: Event, *, language: str, about: str) -> Moment:
    title, tone = TELLING.get(event.verb, (event.verb.replace("_", " ").replace(".", ": "), "neutral"))
    data: Mapping[str, Any] = event.data
    said = next((str(data[key]) for key in _WORDS if data.get(key)), "")
    if not said and event.actor_kind == ActorKind.WORKER.value:
        said = str(data.get(_BY_WORKER) or "")
    facts = _facts(event, data)
    if about:
        facts = (("Worker", about), *facts)
    return Moment(
        at=event.at,
        title=title + _title_tail(event.verb, data),
        tone=_tone(event.verb, data, tone),
        who=_who(event),
        verbatim=said,
        language=str(data.get("language") or language),
        facts=facts,
        problem_id=event.problem_id,
    )


def _who(event: Event) -> str:
    if event.actor_kind == ActorKind.ENGINE.value:
        return ""
    return event.actor_name or ("the worker" if event.actor_kind == ActorKind.WORKER.value else "")


def _title_tail(verb: str, data: Mapping[str, Any]) -> str:
    if verb == Verb.CALL_LOGGED:
        outcome = str(data.get("outcome", ""))
        return f": {words.OUTCOMES.get(outcome, outcome).lower()}" if outcome else ""
    if verb in (Verb.DUTY_FIRED, Verb.DUTY_TAKEN_OVER) and data.get("rung") is not None:
        return f" to rung {data['rung']}" if verb == Verb.DUTY_FIRED else ""
    if verb == Verb.DUTY_SET and data.get("kind"):
        return f": {words.DUTIES.get(str(data['kind']), str(data['kind'])).lower()}"
    if verb == Verb.CONFIRMATION_RECORDED_BY_TELEPHONE and data.get("verdict"):
        return ": solved" if data["verdict"] == "yes" else ": not yet"
    return ""


def _tone(verb: str, data: Mapping[str, Any], tone: str) -> str:
    if verb == Verb.CALL_LOGGED and data.get("outcome") not in ("reached", None):
        return "soon"
    if verb == Verb.DUTY_SET and data.get("kind") == DutyKind.ASK.value:
        return "soon"
    return tone


def _facts(event: Event, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for key, name in _FACTS:
        value = data.get(key)
        if value and not isinstance(value, (dict, list, int)):
            found.append((name, _readable(str(value))))
    if data.get("text") and event.actor_kind != ActorKind.WORKER.value:
        found.append(("Text", str(data["text"])))
    told = data.get("told")
    if isinstance(told, list) and told:
        found.append(("Told", ", ".join(str(name) for name in told)))
    if data.get("due_at"):
        found.append(("Due", _readable(str(data["due_at"]))))
    changed = data.get("changed")
    if isinstance(changed, dict):
        found.extend(
            (str(key), " → ".join(str(v) for v in pair) if isinstance(pair, list) else str(pair))
            for key, pair in changed.items()
        )
    return tuple(found)


def _readable(value: str) -> str:
    """A date or instant in ISO form as people write it; everything else as it is."""
    try:
        if len(value) == 10:
            return date_format(date.fromisoformat(value), "D j M Y")
        if len(value) >= 19 and value[10] in "T ":
            return date_format(timezone.localtime(datetime.fromisoformat(value)), "D j M H:i")
    except ValueError:
        pass
    return words.END_REASONS.get(value) or words.NEW_HANDS.get(value, value)


_SENT_TONES = {
    "accepted": "calm",
    "delivered": "calm",
    "failed": "suffer",
    "dead": "suffer",
    "unknown": "soon",
}
_SENT_WORDS = {
    "pending": "waiting",
    "sending": "under way",
    "accepted": "sent",
    "bundled": "told in another",
    "cancelled": "taken back",
}


def with_messages(moments: list[Moment], messages: list[MessageView], *, worker_name: str) -> list[Moment]:
    """Add what was sent, one moment per instant, and keep the order of time."""
    users = dict(
        User.objects.filter(
            pk__in={m.recipient_id for m in messages if m.recipient_kind == "user"}
        ).values_list("pk", "name")
    )
    by_instant: dict[datetime, list[Sent]] = {}
    for message in messages:
        if message.channel == "voice":
            continue  # the call itself is told
        to = (
            worker_name if message.recipient_kind == "worker" else users.get(message.recipient_id, "somebody")
        )
        by_instant.setdefault(message.created_at, []).append(
            Sent(
                to=to,
                channel=words.way_words(message.channel),
                kind=message.kind,
                subject=str(message.payload.get("subject") or message.payload.get("title") or message.kind),
                state=_SENT_WORDS.get(message.state, message.state),
                tone=_SENT_TONES.get(message.state, "neutral"),
                error=message.last_error,
                at=message.settled_at,
                read_at=message.read_at,
            )
        )
    sent = [
        Moment(at=at, title=_told(rows), tone="neutral", sent=tuple(rows)) for at, rows in by_instant.items()
    ]
    # Stable: at one instant the act stands before the messages it caused.
    return sorted([*moments, *sent], key=lambda moment: moment.at)


def _told(rows: list[Sent]) -> str:
    people = list(dict.fromkeys(row.to for row in rows))
    ways = list(dict.fromkeys(row.channel for row in rows if row.channel != "console"))
    if len(people) == 1 and ways:
        return f"Told {people[0]} by {' and '.join(ways)}"
    return "Told " + (
        ", ".join(people) if len(people) <= 3 else f"{', '.join(people[:2])} and {len(people) - 2} more"
    )
