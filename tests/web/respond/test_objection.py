"""Objecting: "I never said so" takes one press and reopens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from sentinel.kernel.links import Purpose
from sentinel.problems.models import Confirmation, Problem
from sentinel.problems.rules import ProblemState
from tests.web.respond.asking import BARE, HUMAN, everything_stored, take_the_plain_step
from tests.web.respond.cast import Cast


@pytest.fixture
def note(cast: Cast) -> Confirmation:
    """The owner noted a yes on the telephone."""
    return cast.confirmed_by_telephone(cast.problem(cast.anna))


@pytest.fixture
def path(cast: Cast, note: Confirmation) -> str:
    """Its page."""
    return cast.path(Purpose.OBJECT, note.pk)


def test_it_says_who_noted_what_and_that_silence_is_fine(cast: Cast, stranger: Client, path: str) -> None:
    html = stranger.get(path).content.decode()
    assert "Otto Berg noted that you said on the telephone: it is solved." in html
    assert "If that is right, there is nothing to do." in html


def test_it_reopens_on_a_humans_objection_years_later(
    cast: Cast, stranger: Client, note: Confirmation, path: str
) -> None:
    cast.clock.set(cast.now + timedelta(days=800))
    page = stranger.post(path, {**HUMAN, "words": "I never said so."}, follow=True)
    problem = Problem.objects.get()
    assert problem.state == ProblemState.REOPENED.value
    assert "Thank you for telling us" in page.content.decode()


def test_it_takes_no_objection_from_a_robot_but_from_the_plain_step(
    cast: Cast, stranger: Client, note: Confirmation, path: str
) -> None:
    before = everything_stored()
    page = stranger.post(path, BARE)
    assert everything_stored() == before
    take_the_plain_step(stranger, path, page.content.decode())
    assert Problem.objects.get().state == ProblemState.REOPENED.value


def test_it_takes_a_second_objection_as_the_first(
    cast: Cast, stranger: Client, note: Confirmation, path: str
) -> None:
    stranger.post(path, HUMAN)
    before = everything_stored()
    stranger.post(path, HUMAN)
    assert everything_stored() == before


def test_it_has_no_page_for_the_workers_own_answer(cast: Cast, stranger: Client) -> None:
    proposal = cast.proposal(cast.problem(cast.anna))
    stranger.post(cast.path(Purpose.CONFIRM, proposal.pk), {**HUMAN, "verdict": "yes"})
    own = Confirmation.objects.get(proposal=proposal)
    assert stranger.get(cast.path(Purpose.OBJECT, own.pk)).status_code == 404
