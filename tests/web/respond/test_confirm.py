"""Confirming: only the worker's own, human, unmistakable answer counts."""

from __future__ import annotations

import pytest
from django.test import Client

from sentinel.kernel.links import Purpose
from sentinel.problems.models import Confirmation, Problem, Proposal
from sentinel.problems.rules import ProblemState
from tests.web.respond.asking import (
    BARE,
    HUMAN,
    SCRIPT,
    everything_stored,
    hidden_fields,
    take_the_plain_step,
)
from tests.web.respond.cast import Cast


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    """The owner says that Anna's problem is solved."""
    return cast.proposal(cast.problem(cast.anna))


@pytest.fixture
def path(cast: Cast, proposal: Proposal) -> str:
    """Its page, as the mail's "yes" link opens it."""
    return cast.path(Purpose.CONFIRM, proposal.pk, "yes")


def state_of(proposal: Proposal) -> str:
    """The state of the proposal's problem now."""
    return Problem.objects.get(pk=proposal.problem_id).state


def test_it_shows_two_buttons_of_one_size_and_what_was_done(
    cast: Cast, stranger: Client, proposal: Proposal
) -> None:
    html = stranger.get(cast.path(Purpose.CONFIRM, proposal.pk)).content.decode()
    assert html.count('<button class="button" name="verdict"') == 2
    assert "We replaced the fuser." in html
    assert "The printer on floor 3 jams." in html


def test_it_closes_on_a_human_yes(cast: Cast, stranger: Client, proposal: Proposal, path: str) -> None:
    page = stranger.post(path, {**HUMAN, "verdict": "yes"}, follow=True)
    assert state_of(proposal) == ProblemState.CONFIRMED.value
    assert "Thank you: it is solved" in page.content.decode()


def test_it_goes_on_after_not_yet(cast: Cast, stranger: Client, proposal: Proposal, path: str) -> None:
    page = stranger.post(path, {**HUMAN, "verdict": "no", "words": "Still jams."}, follow=True)
    assert state_of(proposal) == ProblemState.REOPENED.value
    html = page.content.decode()
    assert "Thank you for telling us" in html
    assert "Otto Berg will call you by" in html


@pytest.mark.parametrize("verdict", ["yes", "no"])
@pytest.mark.parametrize("signals", [BARE, SCRIPT])
def test_it_takes_no_verdict_without_evidence_of_a_human(
    cast: Cast, stranger: Client, proposal: Proposal, path: str, verdict: str, signals: dict[str, str]
) -> None:
    before = everything_stored()
    page = stranger.post(path, {**signals, "verdict": verdict})
    assert "Please choose the word" in page.content.decode()
    assert everything_stored() == before
    take_the_plain_step(stranger, path, page.content.decode())
    assert Confirmation.objects.get().verdict == verdict


def test_it_takes_the_verdict_of_the_button_not_of_the_address(
    cast: Cast, stranger: Client, proposal: Proposal, path: str
) -> None:
    stranger.post(path, {**HUMAN, "verdict": "no"})
    assert state_of(proposal) == ProblemState.REOPENED.value
    assert stranger.post(path, {**HUMAN}).status_code == 200


def test_it_asks_once_more_when_yes_comes_with_words_that_say_no(
    cast: Cast, stranger: Client, proposal: Proposal, path: str
) -> None:
    words = "It is still broken, nothing has changed."
    page = stranger.post(path, {**HUMAN, "verdict": "yes", "words": words})
    html = page.content.decode()
    assert words in html
    assert html.count('<button class="button" name="verdict"') == 2
    assert state_of(proposal) == ProblemState.PROPOSED.value
    done = stranger.post(path, {**hidden_fields(html), **HUMAN, "verdict": "yes"}, follow=True)
    assert state_of(proposal) == ProblemState.CONFIRMED.value
    assert "Thank you: it is solved" in done.content.decode()


def test_it_needs_a_human_for_the_second_answer_too(
    cast: Cast, stranger: Client, proposal: Proposal, path: str
) -> None:
    page = stranger.post(path, {**BARE, "verdict": "yes", "words": "It is still broken."})
    again = {**hidden_fields(page.content.decode()), **BARE, "verdict": "yes"}
    step = stranger.post(path, again)
    assert "Please choose the word" in step.content.decode()
    assert state_of(proposal) == ProblemState.PROPOSED.value
    take_the_plain_step(stranger, path, step.content.decode())
    assert state_of(proposal) == ProblemState.CONFIRMED.value
    assert Confirmation.objects.get().words == "It is still broken."


def test_it_says_how_it_stands_when_it_was_answered_before(
    cast: Cast, stranger: Client, proposal: Proposal, path: str
) -> None:
    stranger.post(path, {**HUMAN, "verdict": "yes"})
    before = everything_stored()
    page = stranger.post(path, {**HUMAN, "verdict": "no"})
    assert "Thank you: it is solved" in page.content.decode()
    assert "Should it come back" in page.content.decode()
    assert everything_stored() == before


def test_it_leads_from_an_old_question_to_the_latest(
    cast: Cast, stranger: Client, proposal: Proposal, path: str
) -> None:
    newer = cast.proposal(proposal.problem, what_was_done="We replaced the whole printer.")
    before = everything_stored()
    html = stranger.post(path, {**HUMAN, "verdict": "yes"}).content.decode()
    assert cast.path(Purpose.CONFIRM, newer.pk) in html
    assert everything_stored() == before


def test_it_knows_no_third_verdict(cast: Cast, stranger: Client, proposal: Proposal) -> None:
    assert stranger.get(cast.path(Purpose.CONFIRM, proposal.pk, "maybe")).status_code == 404
