"""What a newcomer finds: one open problem in every state, counted back from the demonstration's present.

Everything here happens through the same workflows as the rest of the history; only who says what when
is fixed instead of diced. Times are business time of the owner, so that "yesterday" is a working day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState, ResponseKind
from sentinel.kernel.calendars import BusinessCalendar
from sentinel.ops.demo.player import Player
from sentinel.ops.demo.stage import Stage
from sentinel.ops.demo.words import PHRASES, Trouble
from sentinel.ops.demo.workers import SCRIPT, Workers
from sentinel.people.models import User
from sentinel.people.selectors import calendar_of
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.problems.services import current_proposal
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.worker_words import ask_for_manager

MINUTE = 1.0
HOUR = 60.0
#: A business day of the owners, in minutes.
DAY = 8.0 * HOUR


@dataclass(frozen=True)
class Scene:
    """One worker's story. ``trouble`` is the number of what troubles them in their language.

    ``steps``: how many business minutes before the present, and what happens then.
    """

    worker: str
    trouble: int
    steps: tuple[tuple[float, str], ...]


#: Each state that a problem can stand in, and each kind of entry on "Today". Lindqvist is a key account: its
#: people act within five minutes, or the ladder would tell another story than the scene.
SCENES = (
    # Reported a moment ago: nobody has it yet, and the countdown runs.
    Scene("o.kovalenko", 0, ((3, "frown"),)),
    # Acknowledged: to be called now.
    Scene("j.reis", 8, ((22, "frown"), (20, "acknowledge"))),
    # Not reached: to be called again soon.
    Scene("i.bondar", 1, ((48, "frown"), (44, "acknowledge"), (12, "no answer"))),
    # Talked with yesterday: a date is owed.
    Scene("k.ahlers", 1, ((DAY + 10, "frown"), (DAY + 6, "acknowledge"), (DAY - 15, "reached"))),
    # Promised for today, for tomorrow, and for a day that has passed.
    Scene("j.brandt", 0, ((3 * DAY, "frown"), (3 * DAY - 4, "acknowledge"), (3 * DAY - 30, "reached"),
                          (3 * DAY - 90, "promise 0"))),
    Scene("l.ferrer", 3, ((2 * DAY, "frown"), (2 * DAY - 4, "acknowledge"), (2 * DAY - 30, "reached"),
                          (2 * DAY - 60, "promise 1"))),
    Scene("y.sato", 0, ((5 * DAY, "frown"), (5 * DAY - 10, "acknowledge"), (5 * DAY - 40, "reached"),
                        (5 * DAY - 70, "promise -1"))),
    # Proposed yesterday; and unconfirmed for weeks, which the check-in asks about.
    Scene("a.melnyk", 3, ((4 * DAY, "frown"), (4 * DAY - 5, "acknowledge"), (4 * DAY - 30, "reached"),
                          (4 * DAY - 50, "promise 0"), (DAY - 60, "propose"))),
    Scene("v.soler", 1, ((24 * DAY, "frown"), (24 * DAY - 5, "acknowledge"), (24 * DAY - 30, "reached"),
                         (24 * DAY - 50, "promise -20"), (22 * DAY, "propose"), (16 * DAY, "reached"))),
    # "Not yet": back with more heat, a call is owed at once.
    Scene("m.sousa", 7, ((6 * DAY, "frown"), (6 * DAY - 4, "acknowledge"), (6 * DAY - 25, "reached"),
                         (6 * DAY - 50, "promise -2"), (2 * DAY, "propose"), (11, "not yet"))),
    # Nobody reacted for days: the ladder has reached the top and goes on.
    Scene("s.tremblay", 0, ((3 * DAY, "frown"),)),
    # The worker wants the manager.
    Scene("s.demir", 8, ((2 * DAY, "frown"), (2 * DAY - 4, "acknowledge"), (2 * DAY - 30, "reached"),
                         (2 * DAY - 80, "promise 2"), (25, "manager"))),
    # The other owners have something to do, too.
    Scene("s.tanaka", 2, ((20, "frown"),)),
    Scene("s.hayashi", 4, ((DAY, "frown"), (DAY - 12, "acknowledge"), (DAY - 60, "reached"))),
    Scene("m.hayes", 11, ((DAY, "frown"), (DAY - 9, "acknowledge"), (DAY - 60, "reached"),
                          (DAY - 80, "promise 2"))),
    Scene("a.brooks", 13, ((40, "frown"), (33, "acknowledge"))),
    # A frown that perhaps a mail filter pressed.
    Scene("m.eggers", 4, ((40, "unvouched"),)),
    # Something to answer.
    Scene("t.shevchuk", 0, ((2 * HOUR, "praise"),)),
    Scene("f.fuchs", 0, ((5 * HOUR, "suggestion"),)),
    Scene("d.nakamura", 0, ((6 * HOUR, "comment"),)),
    Scene("p.raman", 0, ((4 * HOUR, "suggestion"),)),
)  # fmt: skip

#: Their mail comes back: this many days before the present the mailbox is closed.
CLOSED_MAILBOXES = {"b.nogueira": 40, "j.molina": 95}
#: The owner has found the right address of this one meanwhile.
REPAIRED = "j.molina"
#: Whoever walks through the tutorial reports as these two. Nothing ever happens to them beforehand, and they
#: want to be asked weekly, so that the newest of their mails is always fresh enough to be answered.
NEWCOMERS_WORKERS = ("r.carvalho", "d.kravets")
#: Since so many days before the present they are asked weekly.
ASKED_WEEKLY_FOR = 35


def reserved() -> frozenset[str]:
    """Who keeps quiet until their scene."""
    return frozenset(scene.worker for scene in SCENES) | {*CLOSED_MAILBOXES, *NEWCOMERS_WORKERS}


def business_ago(calendar: BusinessCalendar, present: datetime, minutes: float) -> datetime:
    """The instant from which this much open time passes until ``present``."""
    left = timedelta(minutes=minutes)
    stretches = list(calendar.stretches(present - timedelta(days=90), present))
    for start, end in reversed(stretches):
        if left <= end - start:
            return end - left
        left -= end - start
    return present - timedelta(days=90)


class Scenes:
    """Puts the scenes on the agenda."""

    def __init__(self, player: Player, stage: Stage, workers: Workers, *, present: datetime) -> None:
        self.player, self.stage, self.workers, self.present = player, stage, workers, present
        self._problems: dict[str, int] = {}

    def arrange(self, *, since: datetime) -> int:
        """Every scene whose worker exists and which begins late enough; returns how many."""
        arranged = 0
        for scene in SCENES:
            worker = self.stage.worker(scene.worker)
            if worker is None:
                continue
            calendar = calendar_of(worker.site.account.owner)
            times = [business_ago(calendar, self.present, before) for before, _ in scene.steps]
            if times[0] < since:
                continue
            arranged += 1
            for when, (_, step) in zip(times, scene.steps, strict=True):
                self.player.at(when, self._step(scene, worker, step))
        return arranged

    def _step(self, scene: Scene, worker: Worker, step: str) -> Callable[[], None]:
        return lambda: self._play(scene, worker, step)

    def _play(self, scene: Scene, worker: Worker, step: str) -> None:
        trouble = PHRASES[worker.spoken_language].troubles[scene.trouble]
        if step in ("frown", "unvouched", "praise", "suggestion", "comment"):
            self._press(scene, worker, step, trouble)
            return
        problem = self._problem(scene)
        if problem is not None:
            self._act(problem, step, trouble)

    def _press(self, scene: Scene, worker: Worker, step: str, trouble: Trouble) -> None:
        asked = (
            CheckIn.objects.filter(worker=worker, state=CheckInState.SENT.value)
            .order_by("-sent_at", "-pk")
            .first()
        )
        if asked is None:
            return
        phrases = PHRASES[worker.spoken_language]
        if step == "unvouched":
            self.workers.frown(asked.pk, trouble, wordless=True, signals=SCRIPT)
        elif step == "frown":
            recorded = self.workers.frown(asked.pk, trouble)
            if recorded.problem_id is not None:
                self._problems[scene.worker] = recorded.problem_id
        else:
            texts = {"praise": phrases.praise, "suggestion": phrases.suggestions, "comment": phrases.comments}
            self.workers.say(asked.pk, ResponseKind(step), texts[step][0])

    def _problem(self, scene: Scene) -> Problem | None:
        rows = Problem.objects.select_related("duty__accountable__calendar", "site__calendar", "worker")
        return rows.filter(pk=self._problems.get(scene.worker, 0)).first()

    def _act(self, problem: Problem, step: str, trouble: Trouble) -> None:
        """One act of whoever is accountable, or of the worker."""
        user: User = problem.duty.accountable
        pk, now, phrases = problem.pk, self.player.now, PHRASES[problem.language]
        verb, _, days = step.partition(" ")
        if verb == "acknowledge":
            acknowledge(problem_id=pk, user=user, now=now)
        elif verb == "reached":
            note = f"Spoke with {problem.worker.name}; we come by and look at it together."
            log_call(problem_id=pk, user=user, outcome=CallOutcome.REACHED, note=note, now=now)
        elif step == "no answer":
            log_call(problem_id=pk, user=user, outcome=CallOutcome.NO_ANSWER, note="Rang out.", now=now)
        elif verb == "promise":
            due_on = self._workday(calendar_of_site(problem.site), int(days))
            make_commitment(problem_id=pk, user=user, due_on=due_on, what=trouble.promise, now=now)
        elif verb == "propose":
            done, cause = trouble.done, trouble.cause
            propose_solution(problem_id=pk, user=user, what_was_done=done, root_cause=cause, now=now)
        elif verb == "manager":
            ask_for_manager(problem_id=pk, words=phrases.manager, human=True, now=now)
        elif step == "not yet":
            proposal = current_proposal(problem)
            if proposal is not None:
                words = phrases.not_yet[0]
                record_verdict(proposal_id=proposal.pk, verdict=Verdict.NO, words=words, human=True, now=now)

    def _workday(self, calendar: BusinessCalendar, days: int) -> date:
        """The date that many working days of the site after today's (or before)."""
        day, left = calendar.localdate(self.present), abs(days)
        while left:
            day += timedelta(days=1 if days > 0 else -1)
            left -= calendar.is_business_day(day)
        return day
