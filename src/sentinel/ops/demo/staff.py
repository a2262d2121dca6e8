"""How the provider's people work: whoever is accountable attends to a problem, one duty after the other."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sentinel.accounts.services import worker_left
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.selectors import hours_for
from sentinel.ops.demo.player import Player
from sentinel.ops.demo.plots import Plot, Promise
from sentinel.ops.demo.words import PHRASES
from sentinel.people.models import User
from sentinel.people.selectors import calendar_of
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, EndReason, ProblemState, Verdict
from sentinel.problems.services import current_commitment, current_proposal
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.answer_response import answer_response, settle_please_check
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment, suggest_date
from sentinel.workflows.manage_problem import add_note, end_problem
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from sentinel.workflows.write_to_worker import write_to_worker

_SPOKE = (
    "Spoke with {name}, who told me step by step what happens. It happens daily.",
    "Reached {name} at the desk. Same at the neighbouring desks. Agreed that we come by.",
    "Good talk with {name}; quite annoyed at first. Wants to hear from us before anybody comes.",
)
_NOTES = (
    "Checked the service history: same part was replaced eight months ago.",
    "Parts are in stock in the regional store, ordered for tomorrow morning.",
)


#: What workers said earlier than this has been answered.
RECENT = timedelta(days=5)


class Staff:
    """Attends to problems. ``plots`` says what is going to happen to which problem."""

    def __init__(self, player: Player, *, seed: int) -> None:
        self.player = player
        self.plots: dict[int, Plot] = {}
        self._seed = seed
        self._turns: dict[int, int] = {}

    def take(self, problem_id: int, plot: Plot) -> None:
        """A new problem: from now on somebody attends to it."""
        if problem_id not in self.plots:
            self.plots[problem_id] = plot
            self.plan(problem_id)

    def plan(self, problem_id: int, *, when: datetime | None = None) -> None:
        """Put the next act on the agenda, in place of the one that was planned."""
        turn = self._turns[problem_id] = self._turns.get(problem_id, 0) + 1
        duty = _duty(problem_id)
        if duty is None:
            return
        when = when or self._when(duty)
        if when is not None:
            self.player.at(when, lambda: self._attend(problem_id, turn))

    def _when(self, duty: Duty) -> datetime | None:
        """When whoever is accountable will see to this duty; None while the worker is asked."""
        plot, now = self.plots[duty.problem_id], self.player.now
        hours = hours_for(kind=DutyKind(duty.kind), accountable=duty.accountable, site=duty.problem.site)
        match DutyKind(duty.kind):
            case DutyKind.ACKNOWLEDGE:
                return hours.add(now, plot.acknowledge_after)
            case DutyKind.CALL:
                last = duty.problem.calls.order_by("-at", "-pk").first()
                if last is not None and last.outcome == CallOutcome.CALL_BACK.value:
                    return hours.next_open(max(now, duty.due_at))
                return hours.add(now, plot.call_after)
            case DutyKind.PROMISE:
                return hours.add(now, plot.promise_after)
            case DutyKind.SOLVE:
                return self._when_solved(duty, plot)
            case DutyKind.ASK:
                return None

    def _when_solved(self, duty: Duty, plot: Plot) -> datetime:
        calendar, now = calendar_of(duty.accountable), self.player.now
        if plot.promise is Promise.MISSED:
            return calendar.add(max(now, duty.due_at), timedelta(hours=3))
        return calendar.add(now, calendar.between(now, duty.due_at) * plot.solved_at_share)

    def _attend(self, problem_id: int, turn: int) -> None:
        if turn != self._turns[problem_id]:
            return
        duty = _duty(problem_id)
        if duty is None:
            return
        problem, plot = duty.problem, self.plots[problem_id]
        hours = hours_for(kind=DutyKind(duty.kind), accountable=duty.accountable, site=problem.site)
        if not hours.is_open(self.player.now):
            # Somebody of another zone has taken over since.
            self.plan(problem_id, when=hours.add(self.player.now, timedelta(minutes=5)))
            return
        match DutyKind(duty.kind):
            case DutyKind.ACKNOWLEDGE:
                acknowledge(problem_id=problem_id, user=duty.accountable, now=self.player.now)
            case DutyKind.CALL:
                self._call(problem, duty.accountable, plot)
            case DutyKind.PROMISE:
                self._promise(problem, duty.accountable, plot)
            case DutyKind.SOLVE:
                self._solve(problem, duty.accountable, plot)
            case DutyKind.ASK:
                return
        self.plan(problem_id)

    def _call(self, problem: Problem, user: User, plot: Plot) -> None:
        now, rng = self.player.now, self._dice(problem.pk, "call", problem.calls.count())
        if plot.failed_calls:
            outcome = plot.failed_calls.popleft()
            back_at = now + timedelta(hours=2) if outcome is CallOutcome.CALL_BACK else None
            log_call(
                problem_id=problem.pk,
                user=user,
                outcome=outcome,
                note=_UNREACHED[outcome],
                call_back_at=back_at,
                now=now,
            )
            return
        if plot.has_left:
            self._end(problem, user)
            return
        note = rng.choice(_SPOKE).format(name=problem.worker.name)
        call = log_call(problem_id=problem.pk, user=user, outcome=CallOutcome.REACHED, note=note, now=now)
        if ProblemState(problem.state) is ProblemState.COMMITTED:
            # The worker wanted to hear from the manager, who gives a new date.
            self._promise(problem, user, plot)
            return
        proposal = current_proposal(problem)
        if proposal is not None and plot.answers and plot.answers[0] == "on the telephone":
            plot.answers.popleft()
            record_verdict_by_telephone(
                problem_id=problem.pk,
                user=user,
                call_id=call.pk,
                verdict=Verdict.YES,
                words=rng.choice(PHRASES[problem.language].solved),
                now=now,
            )
        elif rng.random() < 0.2:
            add_note(problem_id=problem.pk, user=user, text=rng.choice(_NOTES), now=now)

    def _end(self, problem: Problem, user: User) -> None:
        manager = problem.account.manager
        if manager is None:
            return
        end_problem(
            problem_id=problem.pk,
            user=manager,
            reason=EndReason.LEFT,
            note="Reception says that this colleague left the company; the machine is checked all the same.",
            now=self.player.now,
        )
        worker_left(worker_id=problem.worker_id, user=problem.account.owner, now=self.player.now)

    def _promise(self, problem: Problem, user: User, plot: Plot) -> None:
        now = self.player.now
        if ProblemState(problem.state) is ProblemState.ACKNOWLEDGED:
            # The worker wants no call: the letter is the contact, and the date follows.
            text = PHRASES[problem.language].answers[0]
            write_to_worker(problem_id=problem.pk, user=user, text=text, now=now)
            return
        due_on = suggest_date(problem, user=user, now=now)
        standing = current_commitment(problem)
        reason = ""
        if standing is not None:
            reason = self._dice(problem.pk, "again", 0).choice(PHRASES[problem.language].moved)
            due_on = due_on if due_on != standing.due_on else due_on + timedelta(days=1)
        make_commitment(
            problem_id=problem.pk, user=user, due_on=due_on, what=plot.trouble.promise, reason=reason, now=now
        )

    def _solve(self, problem: Problem, user: User, plot: Plot) -> None:
        if plot.promise is Promise.MOVED:
            plot.promise = Promise.KEPT
            self._promise(problem, user, plot)
            return
        plot.promise = Promise.KEPT
        propose_solution(
            problem_id=problem.pk,
            user=user,
            what_was_done=plot.trouble.done,
            root_cause=plot.trouble.cause,
            now=self.player.now,
        )

    # -- besides problems -----------------------------------------------------------------------------

    def answer(self, response_id: int) -> None:
        """The owner answers a comment, a suggestion or praise some hours later."""
        rng = self._dice(response_id, "answer", 0)
        if self.player.now < self.player.until - RECENT or rng.random() < 0.5:
            response = Response.objects.select_related("worker__site__account__owner__calendar").get(
                pk=response_id
            )
            owner = response.worker.site.account.owner
            text = rng.choice(PHRASES[response.language].answers)
            when = calendar_of(owner).add(self.player.now, timedelta(hours=rng.uniform(0.5, 14)))
            self.player.at(
                when,
                lambda: answer_response(response_id=response_id, user=owner, text=text, now=self.player.now),
            )

    def look_at(self, response_id: int) -> None:
        """The owner looks at a frown nobody vouched for, if it is still on the list."""
        check = PleaseCheck.objects.filter(response=response_id, settled_at__isnull=True).first()
        if check is not None:
            owner = check.response.worker.site.account.owner
            settle_please_check(
                please_check_id=check.pk,
                user=owner,
                outcome="nothing",
                note="Asked at the site: nobody pressed anything, it was the mail filter.",
                now=self.player.now,
            )

    def _dice(self, *parts: object) -> Random:
        return Random(":".join(str(part) for part in (self._seed, "staff", *parts)))  # noqa: S311


_UNREACHED = {
    CallOutcome.NO_ANSWER: "Rang out, nobody picked up.",
    CallOutcome.CALL_BACK: "In a meeting, asked to be called in two hours.",
    CallOutcome.WRONG_NUMBER: "The number belongs to the reception; they look for the right one.",
}


def _duty(problem_id: int) -> Duty | None:
    rows = Duty.objects.select_related(
        "accountable__calendar",
        "problem__worker__site__calendar",
        "problem__site__calendar",
        "problem__account__owner",
        "problem__account__manager",
    )
    return rows.filter(problem=problem_id).first()
