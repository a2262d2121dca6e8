"""What the auditor mends by itself: only what has one right answer, always with a line in the timeline."""

from __future__ import annotations

from datetime import datetime

from sentinel.assurance.rules import Check, Fault
from sentinel.escalation.models import Duty
from sentinel.escalation.services import clear_duty
from sentinel.problems.models import Problem
from sentinel.problems.services import lock_problem
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.duties import owe_promise


def repair(fault: Fault, *, now: datetime) -> str:
    """Mend a fault if it can be mended; says what was done, or nothing. Inside a transaction."""
    if fault.check is Check.PROBLEM_WITHOUT_DUTY:
        return _give_duties(fault, now)
    if fault.check is Check.DUTY_WITHOUT_PROBLEM:
        return _take_duties(fault, now)
    return ""


def _give_duties(fault: Fault, now: datetime) -> str:
    given = []
    for problem_id in sorted(fault.ids):
        problem = lock_problem(problem_id)
        if not problem.is_open or Duty.objects.filter(problem=problem).exists():
            continue
        duty = owe_promise(problem, accountable=problem.owner, now=now)
        given.append(problem_id)
        _record(problem, {"repair": "duty set", "kind": duty.kind, "due_at": duty.due_at.isoformat()}, now)
    return f"Owners owe a promise again for problems {', '.join(map(str, given))}." if given else ""


def _take_duties(fault: Fault, now: datetime) -> str:
    taken = []
    for problem_id in sorted(fault.ids):
        problem = lock_problem(problem_id)
        if problem.is_open:
            continue
        clear_duty(problem=problem)
        taken.append(problem_id)
        _record(problem, {"repair": "duty taken away"}, now)
    return f"Duties of closed problems {', '.join(map(str, taken))} were taken away." if taken else ""


def _record(problem: Problem, data: dict[str, object], now: datetime) -> None:
    record_event(verb=Verb.FINDING_REPAIRED, at=now, actor=ENGINE, about=about_problem(problem), data=data)
