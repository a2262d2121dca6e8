"""The problem's page and its acts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sentinel.accounts.models import Worker
from sentinel.accounts.services import mark_bounced
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


def test_nobody_is_told_by_mail_that_does_not_arrive(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/problems/{stage.talked.pk}/"
    assert "use the telephone" not in owner.get(address).content.decode()
    mark_bounced(worker_id=stage.talked.worker_id, reason="550 no such mailbox", now=stage.world.now)
    for page in (address, f"{address}call/"):
        assert "no mail reaches them; use the telephone" in owner.get(page).content.decode()
    typed = {"promise-due_on": (stage.world.now.date() + timedelta(days=6)).isoformat()}
    said = owner.post(f"{address}promise/", typed, follow=True).content.decode()
    assert "No mail reaches this worker; tell them on the telephone." in said
    assert "The worker is told." not in said


def test_somebody_who_left_is_named_as_such(stage: Stage, as_user: SignedIn) -> None:
    left = {"status": "left", "left_at": stage.world.now}
    Worker.objects.filter(pk=stage.talked.worker_id).update(**left)
    page = as_user(stage.world.maria).get(f"/problems/{stage.talked.pk}/").content.decode()
    assert f"has left {stage.talked.account.name}" in page


def test_the_ladder_shows_clock_times(stage: Stage, as_user: SignedIn) -> None:
    answer = as_user(stage.world.maria).get(f"/problems/{stage.reported.pk}/")
    ladder = answer.context["ladder"]
    assert [rung.at for rung in ladder] == sorted(rung.at for rung in ladder)
    upcoming = next(rung for rung in ladder if rung.is_next)
    assert upcoming.at == stage.world.duty(stage.reported).rung_at
    assert not re.search(r"\d seconds?<", answer.content.decode())


def test_a_reopened_problem_says_so_once_and_a_closed_one_waits_for_nobody(
    stage: Stage, as_user: SignedIn
) -> None:
    owner = as_user(stage.world.maria)
    reopened = owner.get(f"/problems/{stage.reopened.pk}/").content.decode()
    assert reopened.count(">Reopened<") == 1
    assert "can say that it is solved" in reopened
    confirmed = owner.get(f"/problems/{stage.confirmed.pk}/").content.decode()
    assert "can say that it is solved" not in confirmed
