"""How the customers' workers react to their mail: mostly not at all, now and then with a frown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from random import Random

from django.conf import settings

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import Rhythm, WorkerStatus
from sentinel.accounts.selectors import calendar_of_site
from sentinel.accounts.services import set_preferences, unsubscribe_worker
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import Face, ResponseKind
from sentinel.checkins.services import record_visit
from sentinel.ops.demo.player import Player
from sentinel.ops.demo.plots import Answer as Says
from sentinel.ops.demo.plots import plot_of
from sentinel.ops.demo.post import picture, reply_as
from sentinel.ops.demo.staff import Staff
from sentinel.ops.demo.words import PHRASES, Trouble
from sentinel.outbox.services import Claimed
from sentinel.problems.models import Confirmation, Problem, Proposal
from sentinel.problems.rules import How, ProblemState, Verdict
from sentinel.workflows.record_response import Answer, Recorded, Signals, record_response
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.telephone_verdict import object_to_confirmation, report_again
from sentinel.workflows.worker_words import add_worker_words, ask_for_manager

HUMAN = Signals(trusted_event=True, script_ran=True)
SCRIPT = Signals(script_ran=True)
#: What comes back on a check-in; the rest is silence.
FROWNS, WORDS, HAPPY = 0.095, 0.07, 0.13
#: How many of the frowns come as a reply to the mail.
REPLIES = 0.35
#: Customers whose mail filter opens every link, and how often one sees it.
FILTERS = {"lindqvist.example": 0.2, "greatlakes-health.example": 0.35}
#: The worst that befalls one person; more would look like a bad joke.
MOST_PROBLEMS = 2


class Workers:
    """Reads the mail room's mail as the workers.

    ``reserved`` keep quiet: the last scenes are theirs. ``silent`` do not even press a happy face.
    """

    def __init__(
        self,
        player: Player,
        staff: Staff,
        *,
        seed: int,
        reserved: Collection[str],
        silent: Collection[str] = (),
    ) -> None:
        self.player = player
        self.staff = staff
        self._seed = seed
        self._reserved = frozenset(reserved)
        self._silent = frozenset(silent)
        self._problems = 0
        self._pictures = 0
        self._troubles: dict[str, list[Trouble]] = {}
        self._choosers = ["unsubscribe", "pause", "quarterly", "weekly", "unsubscribe"]

    def read(self, message: Claimed, _now: object) -> None:
        """A mail has arrived; what follows happens after the engine has settled it."""
        if message.recipient_kind != "worker":
            return
        if message.kind == "check_in.question":
            check_in_id = int(message.dedupe_key.split(":")[1])
            self.player.at(self.player.now + timedelta(seconds=5), lambda: self._react(check_in_id))
        elif message.kind == "problem.ask" and message.problem_id is not None:
            problem_id = message.problem_id
            self.player.at(self.player.now, lambda: self._consider(problem_id))

    # -- a check-in -------------------------------------------------------------------------------------

    def _react(self, check_in_id: int) -> None:
        check_in = CheckIn.objects.select_related("worker__site__calendar").get(pk=check_in_id)
        worker, rng = check_in.worker, self._dice(check_in.worker.email, check_in_id)
        self._filter(check_in, rng)
        roll, soon = rng.random(), min(timedelta(minutes=rng.expovariate(1 / 70)), timedelta(hours=9))
        when = calendar_of_site(worker.site).add(self.player.now, soon)
        about = check_in.about_problem_id
        if about is not None:
            # Silent until now; half of them say it at last.
            if about in self.staff.plots and roll < 0.5:
                self.player.at(when, lambda: self._answer_proposal(about, Says.YES))
        elif (mailbox := worker.email.split("@")[0]) in self._reserved:
            if roll > 1 - HAPPY / 2 and mailbox not in self._silent:
                self.player.at(when, lambda: self._press_happy(check_in_id))
        elif roll < FROWNS:
            self.player.at(when, lambda: self._frown(check_in_id))
        elif roll < FROWNS + WORDS:
            self.player.at(when, lambda: self._say(check_in_id))
        elif roll < FROWNS + WORDS + HAPPY:
            self.player.at(when, lambda: self._press_happy(check_in_id))
        elif roll > 0.988 and self._choosers:
            choice = self._choosers.pop(0)
            self.player.at(when, lambda: self._choose(worker.pk, choice))

    def _filter(self, check_in: CheckIn, rng: Random) -> None:
        """Some companies' mail filters open every link. That must change nothing, and it does not."""
        if rng.random() < FILTERS.get(check_in.worker.email.split("@")[1], 0.0):
            for target in ("happy", "frown", "honeypot"):
                record_visit(check_in_id=check_in.pk, target=target, method="GET", now=self.player.now)

    def _press_happy(self, check_in_id: int) -> None:
        self._answer(check_in_id, face=Face.HAPPY)

    def _say(self, check_in_id: int) -> None:
        rng = self._dice("say", check_in_id)
        language = CheckIn.objects.values_list("language", flat=True).get(pk=check_in_id)
        phrases = PHRASES[language]
        kind, texts = rng.choice(
            (
                (ResponseKind.COMMENT, phrases.comments),
                (ResponseKind.SUGGESTION, phrases.suggestions),
                (ResponseKind.PRAISE, phrases.praise),
            )
        )
        recorded = self._answer(check_in_id, face=Face.HAPPY, kind=kind, text=rng.choice(texts))
        self.staff.answer(recorded.response_id)

    def _frown(self, check_in_id: int) -> None:
        check_in = CheckIn.objects.select_related("worker").get(pk=check_in_id)
        worker, rng = check_in.worker, self._dice("frown", check_in_id)
        if worker.status == WorkerStatus.LEFT.value or worker.problems.count() >= MOST_PROBLEMS:
            return
        trouble = self._next_trouble(worker.spoken_language)
        is_wordless = rng.random() < 0.1
        may_call = rng.random() > 0.06
        when = rng.choice(PHRASES[worker.spoken_language].call_when) if rng.random() < 0.4 else ""
        problem_id = self._frown_by_mail(worker, trouble) if self._writes_mail(check_in_id) else None
        if problem_id is None:
            recorded = self.frown(check_in_id, trouble, wordless=is_wordless, may_call=may_call, when=when)
            problem_id = recorded.problem_id
        if problem_id is not None:
            plot = plot_of(self._problems, trouble=trouble, rng=rng)
            self._problems += 1
            self.staff.take(problem_id, plot)
            self._go_on(problem_id)

    def _writes_mail(self, check_in_id: int) -> bool:
        """Some would rather reply than click; decided apart, so that everything else stays as it was."""
        return bool(settings.INBOUND_DOMAIN) and self._dice("mail", check_in_id).random() < REPLIES

    def _frown_by_mail(self, worker: Worker, trouble: Trouble) -> int | None:
        """The worker replies to the question; the first of them sends a picture along."""
        read = reply_as(
            worker.email, trouble.words, now=self.player.now, file=None if self._pictures else picture()
        )
        self._pictures += 1
        return read.problem_id if read is not None else None

    def frown(
        self,
        check_in_id: int,
        trouble: Trouble,
        *,
        wordless: bool = False,
        may_call: bool = True,
        when: str = "",
        signals: Signals = HUMAN,
    ) -> Recorded:
        """The worker opens the frown's page and sends what troubles them."""
        return self._answer(
            check_in_id,
            face=Face.FROWN,
            kind=ResponseKind.PROBLEM,
            text="" if wordless else trouble.words,
            severity=trouble.severity,
            may_call=may_call,
            call_when=when,
            signals=signals,
        )

    def say(self, check_in_id: int, kind: ResponseKind, text: str) -> Recorded:
        """The worker leaves a comment, a suggestion or praise."""
        return self._answer(check_in_id, face=Face.HAPPY, kind=kind, text=text)

    def _answer(
        self, check_in_id: int, *, signals: Signals = HUMAN, face: Face, **fields: object
    ) -> Recorded:
        now = self.player.now
        language = CheckIn.objects.values_list("language", flat=True).get(pk=check_in_id)
        record_visit(check_in_id=check_in_id, target=face.value, method="GET", now=now)
        answer = Answer(face=face, language=language, **fields)  # type: ignore[arg-type]
        return record_response(check_in_id=check_in_id, answer=answer, signals=signals, now=now)

    def ask_weekly(self, worker: Worker) -> None:
        """The worker asks to be asked every week."""
        self._choose(worker.pk, Rhythm.WEEKLY.value)

    def _choose(self, worker_id: int, choice: str) -> None:
        worker = Worker.objects.select_related("site").get(pk=worker_id)
        now = self.player.now
        if choice == "unsubscribe":
            unsubscribe_worker(worker_id=worker_id, how="one-click", now=now)
            return
        pause: date | None = (now + timedelta(days=30)).date() if choice == "pause" else None
        set_preferences(
            worker_id=worker_id,
            rhythm=Rhythm.PROGRAMME if choice == "pause" else Rhythm(choice),
            paused_until=pause,
            language=worker.spoken_language,
            telephone=worker.telephone,
            now=now,
        )

    # -- their own problem ------------------------------------------------------------------------------

    def _go_on(self, problem_id: int) -> None:
        """What the worker does while they wait."""
        plot = self.staff.plots[problem_id]
        calendar = calendar_of_site(Problem.objects.select_related("site__calendar").get(pk=problem_id).site)
        if plot.wants_manager:
            when = calendar.add(self.player.now, timedelta(hours=14))
            self.player.at(when, lambda: self._ask_for_manager(problem_id))
        if plot.adds_words:
            when = calendar.add(self.player.now, timedelta(hours=5))
            self.player.at(when, lambda: self._add_words(problem_id))

    def _ask_for_manager(self, problem_id: int) -> None:
        problem = Problem.objects.get(pk=problem_id)
        if problem.is_open and problem.state != ProblemState.PROPOSED.value:
            words = PHRASES[problem.language].manager
            ask_for_manager(problem_id=problem_id, words=words, human=True, now=self.player.now)
            self.staff.plan(problem_id)

    def _add_words(self, problem_id: int) -> None:
        problem = Problem.objects.get(pk=problem_id)
        if problem.is_open:
            words = self._dice("more", problem_id).choice(PHRASES[problem.language].not_yet)
            add_worker_words(problem_id=problem_id, words=words, now=self.player.now)

    def _consider(self, problem_id: int) -> None:
        """The worker was asked whether it is solved."""
        plot = self.staff.plots.get(problem_id)
        if plot is None or not plot.answers:
            return
        problem = Problem.objects.select_related("site__calendar").get(pk=problem_id)
        calendar = calendar_of_site(problem.site)
        if plot.answers[0] in (Says.YES, Says.NOT_YET):
            says = plot.answers.popleft()
            when = calendar.add(self.player.now, plot.answer_after)
            self.player.at(when, lambda: self._answer_proposal(problem_id, says))
            return
        # The sixth day brings the call duty of an unanswered question.
        self.staff.plan(problem_id, when=calendar.add_days(self.player.now, 5) + timedelta(minutes=45))
        if plot.objects:
            self.player.at(calendar.add_days(self.player.now, 7), lambda: self._object(problem_id))

    def _answer_proposal(self, problem_id: int, says: Says) -> None:
        proposal = Proposal.objects.filter(problem=problem_id, settled_at__isnull=True).first()
        if proposal is None:
            return
        problem, rng = proposal.problem, self._dice("verdict", proposal.pk)
        phrases = PHRASES[problem.language]
        is_solved = says is Says.YES
        record_verdict(
            proposal_id=proposal.pk,
            verdict=Verdict.YES if is_solved else Verdict.NO,
            words=rng.choice(phrases.solved if is_solved else phrases.not_yet),
            human=True,
            now=self.player.now,
        )
        plot = self.staff.plots[problem_id]
        if not is_solved:
            self.staff.plan(problem_id)
        elif plot.comes_back:
            plot.comes_back = False
            when = calendar_of_site(problem.site).add_days(self.player.now, 4)
            self.player.at(when, lambda: self._report_again(problem_id))

    def _report_again(self, problem_id: int) -> None:
        problem = Problem.objects.get(pk=problem_id)
        words = PHRASES[problem.language].again
        report_again(problem_id=problem_id, words=words, human=True, now=self.player.now)
        self.staff.plan(problem_id)

    def _object(self, problem_id: int) -> None:
        said = Confirmation.objects.filter(
            proposal__problem=problem_id, how=How.TELEPHONE.value, verdict=Verdict.YES.value
        ).first()
        if said is not None:
            problem = Problem.objects.get(pk=problem_id)
            words = self._dice("object", problem_id).choice(PHRASES[problem.language].not_yet)
            object_to_confirmation(confirmation_id=said.pk, words=words, human=True, now=self.player.now)
            self.staff.plan(problem_id)

    def _next_trouble(self, language: str) -> Trouble:
        """No trouble comes twice before all others of the language have come."""
        left = self._troubles.setdefault(language, [])
        if not left:
            left.extend(PHRASES[language].troubles)
            self._dice("troubles", language).shuffle(left)
        return left.pop()

    def _dice(self, *parts: object) -> Random:
        return Random(":".join(str(part) for part in (self._seed, "worker", *parts)))  # noqa: S311
