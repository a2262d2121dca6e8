"""A model test of the loop: any order of acts, crashes, absences and edits keeps the guarantees.

Hypothesis plays worker, staff, administrator, engine and power cuts at random over the real workflows,
engine and database. After every step the guarantees are checked against a tiny model: what was
reported, what the worker said, and how high each ladder has stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sentinel.channels.base import Sent
from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Duty, FrozenRung, Ladder, Rung
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.kernel.errors import Refused
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.models import Absence, User
from sentinel.problems.models import Call, Confirmation, Problem, Proposal
from sentinel.problems.rules import CallOutcome, EndReason, ProblemState, Verdict
from sentinel.timeline.selectors import broken_links, streams
from sentinel.workflows import fire_duty as firing
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.manage_problem import end_problem, hand_over, replan_problem
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.telephone_verdict import (
    object_to_confirmation,
    record_verdict_by_telephone,
    report_again,
)
from sentinel.workflows.worker_words import add_worker_words, ask_for_manager, update_call_wishes
from tests.world import World, build_world

PICK = st.integers(min_value=0, max_value=5)
STAFF = st.sampled_from(["maria", "tom", "petra", "ines", "henrik"])
MINUTES = st.sampled_from([1, 7, 16, 45, 61, 240, 480, 1440, 3 * 1440, 12 * 1440])
#: Everything a transaction of the loop does last; a power cut may hit before any of it.
CUTS = st.sampled_from(["tell_users", "record_event", "rearm", "next_step", "_ask_again"])


class PowerCut(BaseException):
    """The machine stops here."""


def cut_power(*_args: object, **_kwargs: object) -> Any:
    raise PowerCut


class Loop(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.world: World = build_world()
        self.reported: dict[int, str] = {}
        self.highest: dict[int, int] = {}
        self.said_yes: set[int] = set()
        self.is_awake = True

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)
        clock.install(SystemClock())

    # -- helpers ----------------------------------------------------------------------------------

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """A refused act writes nothing; the invariants say whether that is so."""
        try:
            with transaction.atomic():
                yield
        except Refused:
            pass

    def pick(self, index: int) -> Problem:
        rows = list(Problem.objects.order_by("id"))
        return rows[index % len(rows)]

    def user(self, name: str) -> User:
        found: User = getattr(self.world, name)
        return found

    # -- the worker -------------------------------------------------------------------------------

    @rule(who=st.booleans(), severity=st.sampled_from(list(Severity)), may_call=st.booleans())
    def frown(self, who: bool, severity: Severity, may_call: bool) -> None:
        words = f"Problem number {len(self.reported) + 1}"
        worker = self.world.olena if who else self.world.joao
        problem = self.world.frown(words, worker=worker, severity=severity, may_call=may_call)
        self.reported.setdefault(problem.pk, problem.words)

    @precondition(lambda self: self.reported)
    @rule(
        index=PICK,
        verdict=st.sampled_from(list(Verdict)),
        words=st.sampled_from(["", "thanks", "it still jams"]),
    )
    def answer_any_proposal_even_an_old_one(self, index: int, verdict: Verdict, words: str) -> None:
        for proposal in Proposal.objects.filter(problem=self.pick(index)):
            with self.refusals():
                said = record_verdict(
                    proposal_id=proposal.pk, verdict=verdict, words=words, human=True, now=self.world.now
                )
                if said.state is ProblemState.CONFIRMED and not said.already:
                    self.said_yes.add(proposal.problem_id)

    @precondition(lambda self: self.reported)
    @rule(index=PICK, act=st.sampled_from(["words", "manager", "again", "object", "wishes"]))
    def say_something(self, index: int, act: str) -> None:
        problem, now = self.pick(index), self.world.now
        with self.refusals():
            if act == "words":
                add_worker_words(problem_id=problem.pk, words="Hello?", now=now)
            elif act == "manager":
                ask_for_manager(problem_id=problem.pk, human=True, now=now)
            elif act == "wishes":
                update_call_wishes(
                    problem_id=problem.pk,
                    may_call=not problem.may_call,
                    number="",
                    when="",
                    language="en",
                    now=now,
                )
            elif act == "again":
                report_again(problem_id=problem.pk, human=True, now=now)
            else:
                for confirmation in Confirmation.objects.filter(proposal__problem=problem, how="telephone"):
                    object_to_confirmation(confirmation_id=confirmation.pk, human=True, now=now)

    # -- staff ------------------------------------------------------------------------------------

    @precondition(lambda self: self.reported)
    @rule(index=PICK, who=STAFF, outcome=st.sampled_from(list(CallOutcome)))
    def act_on_the_telephone(self, index: int, who: str, outcome: CallOutcome) -> None:
        problem, user, now = self.pick(index), self.user(who), self.world.now
        with self.refusals():
            acknowledge(problem_id=problem.pk, user=user, now=now)
        later = now + timedelta(hours=3) if outcome is CallOutcome.CALL_BACK else None
        with self.refusals():
            log_call(problem_id=problem.pk, user=user, outcome=outcome, call_back_at=later, now=now)

    @precondition(lambda self: self.reported)
    @rule(index=PICK, who=STAFF, days=st.integers(min_value=-1, max_value=9))
    def promise(self, index: int, who: str, days: int) -> None:
        due_on = (self.world.now + timedelta(days=days)).date()
        with self.refusals():
            make_commitment(
                problem_id=self.pick(index).pk,
                user=self.user(who),
                due_on=due_on,
                reason="r",
                now=self.world.now,
            )

    @precondition(lambda self: self.reported)
    @rule(index=PICK, who=STAFF)
    def propose(self, index: int, who: str) -> None:
        with self.refusals():
            propose_solution(
                problem_id=self.pick(index).pk,
                user=self.user(who),
                what_was_done="x",
                root_cause="y",
                now=self.world.now,
            )

    @precondition(lambda self: self.reported)
    @rule(index=PICK, verdict=st.sampled_from(list(Verdict)))
    def record_a_verdict_by_telephone(self, index: int, verdict: Verdict) -> None:
        problem = self.pick(index)
        for call in Call.objects.filter(problem=problem):
            with self.refusals():
                record_verdict_by_telephone(
                    problem_id=problem.pk,
                    user=self.world.maria,
                    call_id=call.pk,
                    verdict=verdict,
                    now=self.world.now,
                )
                if verdict is Verdict.YES:
                    self.said_yes.add(problem.pk)

    @precondition(lambda self: self.reported)
    @rule(index=PICK, to=STAFF, act=st.sampled_from(["hand_over", "replan", "end"]))
    def manage(self, index: int, to: str, act: str) -> None:
        problem, now = self.pick(index), self.world.now
        with self.refusals():
            if act == "hand_over":
                hand_over(problem_id=problem.pk, user=self.world.petra, to_id=self.user(to).pk, now=now)
            elif act == "replan":
                replan_problem(problem_id=problem.pk, user=self.world.petra, reason="r", now=now)
            else:
                end_problem(
                    problem_id=problem.pk, user=self.world.petra, reason=EndReason.LEFT, note="n", now=now
                )

    @rule(who=STAFF, days=st.integers(min_value=1, max_value=4))
    def go_on_holiday(self, who: str, days: int) -> None:
        now = self.world.now
        Absence.objects.create(user=self.user(who), starts_at=now, ends_at=now + timedelta(days=days))

    @rule(seconds=st.sampled_from([60, 7200]), drop=st.booleans())
    def edit_the_ladder(self, seconds: int, drop: bool) -> None:
        before = list(FrozenRung.objects.order_by("pk").values_list("pk", "after", "audience"))
        ladder = Ladder.objects.get(is_default=True)
        ladder.acknowledge_within = timedelta(seconds=seconds)
        ladder.save()
        if drop:
            Rung.objects.filter(ladder=ladder, position__gt=3).delete()
        assert list(FrozenRung.objects.order_by("pk").values_list("pk", "after", "audience")) == before

    # -- time, engine and power -------------------------------------------------------------------

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.world.advance(minutes=minutes)
        self.is_awake = True

    @rule(minutes=MINUTES)
    def the_engine_sleeps(self, minutes: int) -> None:
        self.world.sleep_until(self.world.now + timedelta(minutes=minutes))
        self.is_awake = False

    @rule(where=CUTS)
    def power_is_cut_while_deciding(self, where: str) -> None:
        due = Duty.objects.filter(fire_at__lte=self.world.now).order_by("fire_at").first()
        if due is None:
            return
        before = Duty.objects.filter(pk=due.pk).values().get()
        with patch.object(firing, where, cut_power):
            try:
                with transaction.atomic():
                    firing.fire_duty(problem_id=due.pk, now=self.world.now)
                return
            except PowerCut:
                pass
        assert Duty.objects.filter(pk=due.pk).values().get() == before

    @rule(is_sent=st.booleans())
    def power_is_cut_while_sending(self, is_sent: bool) -> None:
        def crash(message: Claimed) -> Sent:
            if not is_sent:
                self.world.email.sent.pop()
            raise PowerCut

        self.world.email.will(crash)
        try:
            self.world.tick()
        except PowerCut:
            self.is_awake = False
        self.world.email._answers.clear()

    @rule()
    def the_provider_stutters(self) -> None:
        self.world.email.will(Sent(result=Result.TRANSIENT, detail="451"), Sent(result=Result.TRANSIENT))

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def every_report_is_kept_word_for_word(self) -> None:
        kept = dict(Problem.objects.filter(pk__in=self.reported).values_list("pk", "words"))
        assert kept == self.reported

    @invariant()
    def every_open_problem_has_one_duty_and_a_closed_one_none(self) -> None:
        connection.check_constraints()
        for problem in Problem.objects.all():
            duty = Duty.objects.filter(problem=problem).first()
            assert (duty is not None) == problem.is_open
            if duty is None:
                continue
            assert duty.quarantined_at is None, duty.quarantine_reason
            if self.is_awake:
                assert duty.fire_at >= self.world.now
                if duty.fire_at == self.world.now:  # armed by this very act; the engine takes it up now
                    self.world.tick()
                    duty.refresh_from_db()
                assert duty.fire_at > self.world.now

    @invariant()
    def only_the_workers_yes_has_closed_anything(self) -> None:
        confirmed = Problem.objects.filter(state="confirmed").values_list("pk", flat=True)
        assert set(confirmed) <= self.said_yes

    @invariant()
    def no_ladder_sinks_while_its_problem_is_open(self) -> None:
        for duty in Duty.objects.all():
            assert duty.rung >= self.highest.get(duty.pk, 0)
            self.highest[duty.pk] = duty.rung

    @invariant()
    def a_repeated_message_is_the_same_message(self) -> None:
        keys: dict[str, str] = {}
        for message in self.world.email.sent:
            assert keys.setdefault(message.dedupe_key, message.message_id) == message.message_id

    @invariant()
    def the_timeline_is_unbroken(self) -> None:
        for stream in streams():
            assert not list(broken_links(stream))


@pytest.mark.django_db
@pytest.mark.slow
def test_the_loop_keeps_its_guarantees_whatever_happens() -> None:
    run_state_machine_as_test(
        Loop,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate),
        ),
    )
