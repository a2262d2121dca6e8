"""How a problem stands, in plain words: the state, who is on it, what was promised, by when to hear.

Reads only what a worker may know of their own problem. Rungs, notes and root causes are not read here at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.people.models import User
from sentinel.problems.models import Commitment, Problem, Proposal
from sentinel.problems.rules import CallOutcome, EndReason, ProblemState
from sentinel.respond.wording import local_day, spoken_date, spoken_day, spoken_time
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.verbs import Verb
from sentinel.workflows.open_problem import expected_call_by


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The top of "my problem". ``proposal`` waits for a verdict; ``promised`` is a date in words."""

    headline: str
    text: str
    tone: str
    person: User
    proposal: Proposal | None
    promised: str
    is_open: bool


def standing_of(problem: Problem, *, zone: str, now: datetime) -> Standing:
    """How this problem stands at ``now``, in the language that is active."""
    state = ProblemState(problem.state)
    duty = Duty.objects.select_related("accountable").filter(problem=problem).first()
    person = duty.accountable if duty else problem.owner
    promise = Commitment.objects.filter(problem=problem, superseded_at__isnull=True).first()
    proposal = (
        Proposal.objects.select_related("by").filter(problem=problem, settled_at__isnull=True).first()
        if state is ProblemState.PROPOSED
        else None
    )
    is_due = promise is not None and state in (ProblemState.COMMITTED, ProblemState.REOPENED)
    headline, text, tone = _words(problem, state, person, duty, promise, proposal, zone=zone, now=now)
    return Standing(
        headline=headline,
        text=text,
        tone=tone,
        person=person,
        proposal=proposal,
        promised=spoken_day(promise.due_on) if promise and is_due else "",
        is_open=problem.is_open,
    )


def expected_call(problem: Problem) -> datetime | None:
    """By when the worker is called at the latest; None when nobody owes a call or the worker wants none."""
    duty = Duty.objects.select_related("accountable__calendar").filter(problem=problem).first()
    if duty is None or not problem.may_call:
        return None
    if duty.kind == DutyKind.CALL.value:
        return duty.due_at
    if duty.kind != DutyKind.ACKNOWLEDGE.value:
        return None
    # As of the moment the duty was set: what the worker was told must not slide while nobody calls.
    return expected_call_by(problem, accountable=duty.accountable, now=duty.set_at)


def next_word(problem: Problem, person: User, *, zone: str, now: datetime) -> str:
    """The sentence that says when the worker hears from whom; honest when that moment has passed."""
    name = str(person)
    at = expected_call(problem)
    if at is None:
        return _("%(name)s will get in touch with you.") % {"name": name}
    if at <= now:
        return _("%(name)s should have called you by now. Others have been told, too.") % {"name": name}
    when = spoken_time(at, zone=zone, now=now)
    return _("%(name)s will call you by %(when)s.") % {"name": name, "when": when}


def _words(
    problem: Problem,
    state: ProblemState,
    person: User,
    duty: Duty | None,
    promise: Commitment | None,
    proposal: Proposal | None,
    *,
    zone: str,
    now: datetime,
) -> tuple[str, str, str]:
    """Headline, sentence and tone of one state."""
    name = {"name": str(person)}
    match state:
        case ProblemState.REPORTED:
            return _("We have your report"), next_word(problem, person, zone=zone, now=now), "info"
        case ProblemState.ACKNOWLEDGED:
            reader = {"name": _who_acknowledged(problem) or str(person)}
            headline = _("%(name)s has read your report") % reader
            return headline, next_word(problem, person, zone=zone, now=now), "info"
        case ProblemState.IN_CONTACT:
            talked = {"name": _who_talked(problem) or str(person)}
            text = _("%(name)s has been in touch with you and will tell you by when it is solved.") % talked
            return _("We are working on it"), text, "info"
        case ProblemState.COMMITTED:
            return _promised(promise, name, zone=zone, now=now)
        case ProblemState.PROPOSED:
            by = {"name": str(proposal.by) if proposal else str(person)}
            text = _("%(name)s says that it is solved. Only you can tell whether that is so.") % by
            return _("Is it solved?"), text, "soon"
        case ProblemState.REOPENED:
            return _reopened(problem, person, zone=zone, now=now)
        case ProblemState.CONFIRMED:
            day = {"day": _closed_on(problem, zone=zone)}
            return _("It is solved"), _("You confirmed that on %(day)s. Thank you.") % day, "calm"
        case ProblemState.ENDED:
            return _("We are no longer working on this"), _ended(problem, zone=zone), "info"


def _who_acknowledged(problem: Problem) -> str:
    """Who took it, which need not be who answers for it now. Dialling takes it, too."""
    verbs = (Verb.PROBLEM_ACKNOWLEDGED.value, Verb.CALL_LOGGED.value)
    names = events_of_problem(problem.pk).filter(verb__in=verbs).values_list("actor_name", flat=True)
    return names.first() or ""


def _who_talked(problem: Problem) -> str:
    call = problem.calls.select_related("caller").filter(outcome=CallOutcome.REACHED.value).last()
    return str(call.caller) if call else ""


def _promised(
    promise: Commitment | None, name: dict[str, str], *, zone: str, now: datetime
) -> tuple[str, str, str]:
    if promise is None:
        return _("We are working on it"), _("%(name)s is looking after it.") % name, "info"
    day = {"day": spoken_day(promise.due_on)}
    if promise.missed_at or promise.due_on < local_day(now, zone=zone):
        headline = _("We have not kept our date")
        return headline, _("We promised you a solution by %(day)s. Our management knows.") % day, "suffer"
    return _("Promised by %(day)s") % day, _("%(name)s is working on the solution.") % name, "info"


def _reopened(problem: Problem, person: User, *, zone: str, now: datetime) -> tuple[str, str, str]:
    text = _("You told us that it is not solved. That makes it more urgent for us.")
    return _("We are on it again"), f"{text} {next_word(problem, person, zone=zone, now=now)}", "soon"


def _ended(problem: Problem, *, zone: str) -> str:
    day = {"day": _closed_on(problem, zone=zone)}
    match EndReason(problem.end_reason):
        case EndReason.LEFT:
            return _("On %(day)s we noted that you no longer work there.") % day
        case EndReason.UNREACHABLE:
            return _("We tried to reach you several times, and stopped on %(day)s.") % day
        case EndReason.WITHDREW:
            return _("On %(day)s we noted that you no longer need this.") % day


def _closed_on(problem: Problem, *, zone: str) -> str:
    return spoken_date(problem.closed_at, zone=zone) if problem.closed_at else ""
