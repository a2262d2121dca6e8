"""The problem's page and its acts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.problems.models import Call, Commitment, Problem, Proposal
from sentinel.problems.rules import ProblemState
from sentinel.timeline.verbs import Verb
from sentinel.web.reads.history import TELLING
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_it_shows_the_words_the_duty_the_ladder_and_the_story(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get(f"/problems/{stage.reported.pk}/").content.decode()
    for expected in (
        stage.reported.words,
        "Work stopped",
        "Acknowledge",
        "The ladder climbed to rung 1",
        "Ladder",
    ):
        assert expected in page


def test_acknowledging_goes_back_to_the_page_with_a_get(stage: Stage, as_user: SignedIn) -> None:
    answer = as_user(stage.world.maria).post(f"/problems/{stage.reported.pk}/acknowledge/", follow=True)
    assert answer.redirect_chain == [(f"/problems/{stage.reported.pk}/", 303)]
    assert "Acknowledged." in answer.content.decode()


def test_a_conflict_is_said_at_the_form_with_the_typed_text(stage: Stage, as_user: SignedIn) -> None:
    typed = {"proposeform-what_was_done": "Cleaned the rollers", "proposeform-root_cause": "Dust"}
    answer = as_user(stage.world.maria).post(f"/problems/{stage.confirmed.pk}/propose/", typed)
    assert answer.status_code == 409
    assert "Cleaned the rollers" in answer.content.decode()


def test_a_promise_in_the_past_is_refused_and_the_words_stay(stage: Stage, as_user: SignedIn) -> None:
    yesterday = stage.world.now.date() - timedelta(days=1)
    typed = {"promise-due_on": yesterday.isoformat(), "promise-what": "New rollers"}
    answer = as_user(stage.world.maria).post(f"/problems/{stage.talked.pk}/promise/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "lies in the past" in page
    assert "New rollers" in page
    assert not Commitment.objects.filter(problem=stage.talked).exists()


def test_moving_a_promise_needs_a_reason(stage: Stage, as_user: SignedIn) -> None:
    owner = as_user(stage.world.maria)
    typed = {"promise-due_on": (stage.world.now.date() + timedelta(days=6)).isoformat()}
    assert owner.post(f"/problems/{stage.promised.pk}/promise/", typed).status_code == 422
    typed["promise-reason"] = "The part is late"
    assert owner.post(f"/problems/{stage.promised.pk}/promise/", typed).status_code == 303
    assert Commitment.objects.get(problem=stage.promised, superseded_at=None).reason == "The part is late"


def test_only_the_worker_closes_staff_can_merely_propose(stage: Stage, as_user: SignedIn) -> None:
    typed = {"proposeform-what_was_done": "Cleaned", "proposeform-root_cause": "Dust"}
    assert (
        as_user(stage.world.maria).post(f"/problems/{stage.promised.pk}/propose/", typed).status_code == 303
    )
    assert Problem.objects.get(pk=stage.promised.pk).state == ProblemState.PROPOSED.value
    assert Proposal.objects.get(problem=stage.promised).root_cause == "Dust"


def test_a_verdict_by_telephone_needs_a_call_after_the_proposal(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/problems/{stage.proposed.pk}/"
    earlier = Call.objects.get(problem=stage.proposed)
    typed = {"telephone-call": str(earlier.pk), "telephone-verdict": "yes"}
    assert owner.post(f"{address}telephone/", typed).status_code == 422
    assert owner.post(f"{address}call/", {"outcome": "reached"}).status_code == 303
    typed["telephone-call"] = str(Call.objects.filter(problem=stage.proposed).latest("id").pk)
    assert owner.post(f"{address}telephone/", typed).status_code == 303
    assert Problem.objects.get(pk=stage.proposed.pk).state == ProblemState.CONFIRMED.value


def test_ending_says_everything_that_is_missing(stage: Stage, as_user: SignedIn) -> None:
    typed = {"endform-reason": "left", "endform-note": "Moved away"}
    answer = as_user(stage.world.petra).post(f"/problems/{stage.reported.pk}/end/", typed)
    assert answer.status_code == 422
    assert "0 of 2 call attempts" in answer.content.decode()


def test_handing_over_gives_the_duty_to_the_colleague(stage: Stage, as_user: SignedIn) -> None:
    typed = {"handoverform-to": str(stage.world.tom.pk), "handoverform-note": "You know the site"}
    assert (
        as_user(stage.world.maria).post(f"/problems/{stage.talked.pk}/hand-over/", typed).status_code == 303
    )
    assert stage.world.duty(stage.talked).accountable == stage.world.tom


def test_the_way_back_is_only_ever_a_page_of_ours(stage: Stage, as_user: SignedIn) -> None:
    typed = {"noteform-text": "Look", "next": "https://evil.example/"}
    answer = as_user(stage.world.maria).post(f"/problems/{stage.talked.pk}/note/", typed)
    assert answer["Location"] == f"/problems/{stage.talked.pk}/"


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_of_the_timeline_has_words(verb: Verb) -> None:
    assert verb in TELLING
