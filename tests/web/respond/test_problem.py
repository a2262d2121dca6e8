"""My problem: how it stands, and everything its worker can say about it."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from sentinel.kernel.links import Purpose
from sentinel.problems.models import Call, Commitment, Problem
from sentinel.problems.rules import CallOutcome, EndReason, ProblemState
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from tests.web.respond.asking import BARE, HUMAN, everything_stored, take_the_plain_step
from tests.web.respond.cast import Cast


@pytest.fixture
def problem(cast: Cast) -> Problem:
    """What Anna reported."""
    return cast.problem(cast.anna)


@pytest.fixture
def path(cast: Cast, problem: Problem) -> str:
    """Its page."""
    return cast.path(Purpose.PROBLEM, problem.pk)


def test_it_says_in_plain_words_how_it_stands(
    cast: Cast, stranger: Client, problem: Problem, path: str
) -> None:
    html = stranger.get(path).content.decode()
    assert "We have your report" in html
    assert "Otto Berg will call you by 12:00." in html
    acknowledge(problem_id=problem.pk, user=cast.owner, now=cast.now)
    assert "Otto Berg has read your report" in stranger.get(path).content.decode()
    log_call(problem_id=problem.pk, user=cast.owner, outcome=CallOutcome.REACHED, note="SECRET", now=cast.now)
    make_commitment(
        problem_id=problem.pk, user=cast.owner, due_on=date(2026, 11, 27), what="A new fuser.", now=cast.now
    )
    html = stranger.get(path).content.decode()
    assert "Promised by Friday 27 November" in html
    assert "A new fuser." in html
    assert "spoke with you on the telephone" in html
    assert "SECRET" not in html


def test_it_tells_why_a_promise_moved_and_admits_that_it_was_missed(
    cast: Cast, stranger: Client, problem: Problem, path: str
) -> None:
    log_call(problem_id=problem.pk, user=cast.owner, outcome=CallOutcome.REACHED, now=cast.now)
    for day, reason in ((27, ""), (30, "The part is late.")):
        due_on = date(2026, 11, day)
        make_commitment(problem_id=problem.pk, user=cast.owner, due_on=due_on, reason=reason, now=cast.now)
    html = stranger.get(path).content.decode()
    assert "moved the date to Monday 30 November" in html
    assert "The part is late." in html
    Commitment.objects.filter(superseded_at__isnull=True).update(missed_at=cast.now)
    assert "We have not kept our date" in stranger.get(path).content.decode()


def test_it_does_not_pretend_when_the_call_is_late(cast: Cast, stranger: Client, path: str) -> None:
    cast.clock.advance(hours=5)
    assert "should have called you by now" in stranger.get(path).content.decode()


def test_it_passes_added_words_on(cast: Cast, stranger: Client, problem: Problem, path: str) -> None:
    response = stranger.post(path, {**BARE, "act": "words", "words": "It smells, too."}, follow=True)
    html = response.content.decode()
    assert "Your words have been passed on." in html
    assert "It smells, too." in html


def test_it_asks_for_words_when_there_are_none(cast: Cast, stranger: Client, path: str) -> None:
    before = everything_stored()
    assert "Please write a few words." in stranger.post(path, {**HUMAN, "act": "words"}).content.decode()
    assert everything_stored() == before


def test_it_changes_how_to_call(cast: Cast, stranger: Client, problem: Problem, path: str) -> None:
    wishes = {"act": "wishes", "may_call": "no", "number": "+4911", "when": "mornings", "language": "fr"}
    stranger.post(path, {**HUMAN, **wishes})
    problem.refresh_from_db()
    assert (problem.may_call, problem.call_number) == (False, "+4911")
    assert (problem.call_when, problem.call_language) == ("mornings", "fr")


def test_it_calls_the_manager(cast: Cast, stranger: Client, problem: Problem, path: str) -> None:
    page = stranger.post(path, {**HUMAN, "act": "manager"}, follow=True)
    assert "The manager has been told" in page.content.decode()
    assert Event.objects.filter(problem_id=problem.pk, verb=Verb.MANAGER_ASKED_FOR.value).count() == 1
    assert "Maria Boss" in page.content.decode()


@pytest.mark.parametrize("act", ["wishes", "manager"])
def test_it_asks_a_press_without_evidence_for_the_plain_step(
    cast: Cast, stranger: Client, problem: Problem, path: str, act: str
) -> None:
    before = everything_stored()
    page = stranger.post(path, {**BARE, "act": act, "may_call": "no"})
    assert "Please choose the word" in page.content.decode()
    assert everything_stored() == before
    assert take_the_plain_step(stranger, path, page.content.decode()).status_code == 303
    assert everything_stored() != before


def test_it_ignores_an_act_it_does_not_know(cast: Cast, stranger: Client, path: str) -> None:
    before = everything_stored()
    assert stranger.post(path, {**HUMAN, "act": "close"}).status_code == 200
    assert everything_stored() == before


def test_it_offers_solved_and_not_yet_once_it_is_proposed(
    cast: Cast, stranger: Client, problem: Problem, path: str
) -> None:
    assert 'name="verdict"' not in stranger.get(path).content.decode()
    proposal = cast.proposal(problem)
    html = stranger.get(path).content.decode()
    assert cast.path(Purpose.CONFIRM, proposal.pk) in html
    assert html.count('name="verdict"') == 2
    assert "We replaced the fuser." in html


def test_it_opens_again_when_it_came_back(cast: Cast, stranger: Client, problem: Problem, path: str) -> None:
    cast.confirmed_by_telephone(problem)
    page = stranger.post(path, {**HUMAN, "act": "again", "words": "Jammed again."}, follow=True)
    problem.refresh_from_db()
    assert problem.state == ProblemState.REOPENED.value
    html = page.content.decode()
    assert "We are on it again" in html
    assert "Jammed again." in html


def test_it_offers_a_way_back_from_every_end(
    cast: Cast, stranger: Client, problem: Problem, path: str
) -> None:
    problem.duty.delete()
    problem.state, problem.end_reason = ProblemState.ENDED.value, EndReason.UNREACHABLE.value
    problem.ended_by, problem.closed_at, problem.end_note = cast.manager, cast.now, "SECRET"
    problem.save()
    html = stranger.get(path).content.decode()
    assert "We are no longer working on this" in html
    assert 'value="again"' in html
    assert "SECRET" not in html


def test_it_says_when_a_number_was_wrong(cast: Cast, stranger: Client, problem: Problem, path: str) -> None:
    Call.objects.create(
        problem=problem, caller=cast.owner, at=cast.now, outcome=CallOutcome.WRONG_NUMBER.value, note="SECRET"
    )
    html = stranger.get(path).content.decode()
    assert "called a number that is not yours" in html
    assert "SECRET" not in html


def test_it_spares_the_owner_a_flood(cast: Cast, stranger: Client, path: str) -> None:
    answers = [
        stranger.post(path, {**BARE, "act": "words", "words": f"Again {n}"}).status_code for n in range(21)
    ]
    assert answers == [303] * 20 + [429]
