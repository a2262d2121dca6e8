"""What several stories do and look at."""

from __future__ import annotations

from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, ProblemState
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.propose_solution import propose_solution
from tests.world import World


def fresh(problem: Problem) -> Problem:
    return Problem.objects.get(pk=problem.pk)


def state(problem: Problem) -> ProblemState:
    return ProblemState(fresh(problem).state)


def events(problem: Problem, verb: Verb) -> list[Event]:
    return list(Event.objects.filter(problem_id=problem.pk, verb=verb.value).order_by("id"))


def bring_to_proposal(world: World, problem: Problem) -> None:
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    propose_again(world, problem)


def propose_again(world: World, problem: Problem) -> None:
    propose_solution(
        problem_id=problem.pk,
        user=world.maria,
        what_was_done="Replaced the fuser",
        root_cause="Worn fuser",
        now=world.now,
    )
