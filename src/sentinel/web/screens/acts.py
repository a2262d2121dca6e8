"""Every act on a problem: its name, key, form, when it is offered, and the one workflow it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms

from sentinel.escalation.models import Duty
from sentinel.problems.models import Problem
from sentinel.problems.rules import EndReason, ProblemState, Verdict
from sentinel.problems.services import current_commitment
from sentinel.web.access import ConsoleRequest
from sentinel.web.forms import problem as problem_forms
from sentinel.web.reads.problem import reached_calls
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.letters import mail_reaches
from sentinel.workflows.make_commitment import make_commitment, suggest_date
from sentinel.workflows.manage_problem import add_note, end_problem, hand_over, replan_problem
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from sentinel.workflows.write_to_worker import write_to_worker

_S = ProblemState
_OPEN = frozenset(s for s in ProblemState if s not in (_S.CONFIRMED, _S.ENDED))
_TALKED = frozenset({_S.IN_CONTACT, _S.COMMITTED, _S.REOPENED})

#: Instead of "the worker is told".
NO_MAIL = "No mail reaches this worker; tell them on the telephone."

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act. ``make_form`` builds its form for a problem, bound when it gets data.

    ``said`` is what the user reads afterwards, ``told`` what is true beside it when mail reaches the worker.
    """

    slug: str
    label: str
    button: str
    key: str
    said: str
    states: frozenset[ProblemState]
    make_form: Callable[[Problem, Duty | None, ConsoleRequest, Any], forms.Form]
    run: Callable[[Problem, ConsoleRequest, Values], object]
    told: str = ""
    managers_only: bool = False
    tone: str = ""

    def answer(self, problem: Problem) -> str:
        """What to say to the user once it is done; never that the worker was told when no mail arrives."""
        if not self.told:
            return self.said
        return f"{self.said} {self.told if mail_reaches(problem) else NO_MAIL}"

    def is_offered(self, problem: Problem, *, may_end: bool) -> bool:
        """Whether the act fits the problem's state and the viewer."""
        return ProblemState(problem.state) in self.states and (may_end or not self.managers_only)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """An act as the page draws it: with its form, opened when it was asked for or went wrong."""

    act: Act
    form: forms.Form
    is_open: bool


def _plain(form: type[forms.Form]) -> Callable[[Problem, Duty | None, ConsoleRequest, Any], forms.Form]:
    def make(_problem: Problem, _duty: Duty | None, _request: ConsoleRequest, data: Any) -> forms.Form:
        return form(data, prefix=form.__name__.lower())

    return make


def _promise_form(problem: Problem, duty: Duty | None, request: ConsoleRequest, data: Any) -> forms.Form:
    standing = current_commitment(problem)
    answers = duty.accountable if duty else problem.owner
    initial: Values = {"due_on": suggest_date(problem, user=answers, now=request.now)}
    form = problem_forms.MovePromiseForm if standing else problem_forms.PromiseForm
    if standing:
        initial |= {"what": standing.what}
    return form(data, initial=initial, prefix="promise")


def _telephone_form(problem: Problem, _duty: Duty | None, _request: ConsoleRequest, data: Any) -> forms.Form:
    return problem_forms.TelephoneForm(data, calls=reached_calls(problem), prefix="telephone")


def _on(problem: Problem, request: ConsoleRequest) -> Values:
    return {"problem_id": problem.pk, "user": request.user, "now": request.now}


def _run_telephone(problem: Problem, request: ConsoleRequest, values: Values) -> object:
    return record_verdict_by_telephone(
        **_on(problem, request),
        call_id=values["call"].pk,
        verdict=Verdict(values["verdict"]),
        words=values["words"],
    )


def _run_end(problem: Problem, request: ConsoleRequest, values: Values) -> None:
    end_problem(**_on(problem, request), reason=EndReason(values["reason"]), note=values["note"])


def _run_hand_over(problem: Problem, request: ConsoleRequest, values: Values) -> None:
    hand_over(**_on(problem, request), to_id=values["to"].pk, note=values["note"])


ACTS: tuple[Act, ...] = (
    Act(
        slug="acknowledge",
        label="Acknowledge",
        button="Acknowledge",
        key="a",
        said="Acknowledged. The next duty is the call.",
        states=frozenset({_S.REPORTED}),
        make_form=_plain(problem_forms.NothingForm),
        run=lambda p, r, v: acknowledge(**_on(p, r)),
    ),
    Act(
        slug="promise",
        label="Promise a date",
        button="Promise this date",
        key="p",
        said="Promised.",
        told="The worker is told.",
        states=_TALKED,
        make_form=_promise_form,
        run=lambda p, r, v: make_commitment(**_on(p, r), **v),
    ),
    Act(
        slug="propose",
        label="Propose solved",
        button="Ask the worker",
        key="s",
        tone="happy",
        said="Proposed.",
        told="The worker is asked; only their yes closes it.",
        states=_TALKED,
        make_form=_plain(problem_forms.ProposeForm),
        run=lambda p, r, v: propose_solution(**_on(p, r), **v),
    ),
    Act(
        slug="telephone",
        label="Verdict by telephone",
        button="Record what the worker said",
        key="v",
        said="Recorded.",
        told="The worker gets a mail and can object with one click.",
        states=frozenset({_S.PROPOSED}),
        make_form=_telephone_form,
        run=_run_telephone,
    ),
    Act(
        slug="write",
        label="Write to the worker",
        button="Send",
        key="w",
        said="The mail is on its way.",
        states=_OPEN,
        make_form=_plain(problem_forms.WriteForm),
        run=lambda p, r, v: write_to_worker(**_on(p, r), **v),
    ),
    Act(
        slug="note",
        label="Add a note",
        button="Add the note",
        key="n",
        said="Noted.",
        states=frozenset(ProblemState),
        make_form=_plain(problem_forms.NoteForm),
        run=lambda p, r, v: add_note(**_on(p, r), **v),
    ),
    Act(
        slug="hand-over",
        label="Hand over",
        button="Hand over",
        key="h",
        said="Handed over.",
        states=_OPEN,
        make_form=_plain(problem_forms.HandOverForm),
        run=_run_hand_over,
    ),
    Act(
        slug="replan",
        label="Plan the ladder anew",
        button="Plan anew",
        key="r",
        said="The problem follows today's ladder from here on.",
        states=_OPEN,
        make_form=_plain(problem_forms.ReplanForm),
        run=lambda p, r, v: replan_problem(**_on(p, r), **v),
    ),
    Act(
        slug="end",
        label="End without a solution",
        button="End it",
        key="e",
        said="Ended. It never counts as solved.",
        tone="danger",
        states=_OPEN,
        make_form=_plain(problem_forms.EndForm),
        run=_run_end,
        managers_only=True,
    ),
)

BY_SLUG = {act.slug: act for act in ACTS}
