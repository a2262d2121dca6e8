"""The call brief."""

from __future__ import annotations

from sentinel.problems.models import Call
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_it_holds_everything_one_needs_while_telephoning(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get(f"/problems/{stage.reported.pk}/call/").content.decode()
    for expected in (
        'href="tel:+380445550101"',
        "+380 44 555 0101",
        "before 16:00",
        "12:10",
        stage.reported.words,
    ):
        assert expected in page
    assert stage.foreign.worker.name not in page


def test_after_reached_the_promise_comes_next(stage: Stage, as_user: SignedIn) -> None:
    answer = as_user(stage.world.maria).post(
        f"/problems/{stage.reported.pk}/call/", {"outcome": "reached", "note": "Roller"}
    )
    assert answer.status_code == 303
    assert answer["Location"].endswith("?open=promise#act-promise")
    assert Call.objects.get(problem=stage.reported).note == "Roller"


def test_calling_back_is_in_the_workers_own_time(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/problems/{stage.reported.pk}/call/"
    refused = owner.post(address, {"outcome": "call_back", "note": "busy"})
    assert refused.status_code == 422
    assert "busy" in refused.content.decode()
    assert (
        owner.post(address, {"outcome": "call_back", "call_back_at": "2026-03-06T15:00"}).status_code == 303
    )
    asked = Call.objects.get(problem=stage.reported).call_back_at
    assert asked is not None
    assert asked.isoformat() == "2026-03-06T13:00:00+00:00"


def test_calling_back_is_one_press_on_a_time_when_somebody_is_there(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/problems/{stage.reported.pk}/call/"
    page = owner.get(address)
    # Friday, 12:10 in Kyiv: in an hour, in two, and on Monday when they open.
    offered = [wall for _at, wall in page.context["again"]]
    assert offered == ["2026-03-06T13:00", "2026-03-06T14:00", "2026-03-09T09:00"]
    assert owner.post(address, {"call_back": offered[0], "note": "in a meeting"}).status_code == 303
    logged = Call.objects.get(problem=stage.reported)
    assert (logged.outcome, logged.note) == ("call_back", "in a meeting")
    assert logged.call_back_at is not None
    assert logged.call_back_at.isoformat() == "2026-03-06T11:00:00+00:00"


def test_the_problem_can_be_handed_over_in_two_presses_to_the_deputy(stage: Stage, as_user: SignedIn) -> None:
    owner, world = as_user(stage.world.maria), stage.world
    assert (
        f'href="/problems/{stage.reported.pk}/pass-on/"'
        in owner.get(f"/problems/{stage.reported.pk}/").content.decode()
    )
    page = owner.get(f"/problems/{stage.reported.pk}/pass-on/")
    assert page.context["chosen"] == world.tom.pk
    assert [one.user for one in page.context["near"]] == [world.tom, world.petra, world.ines, world.henrik]
    assert world.maria not in [one.user for one in page.context["others"]], "she has it already"
    answer = owner.post(
        f"/problems/{stage.reported.pk}/hand-over/",
        {"handoverform-to": world.tom.pk, "handoverform-note": "I am on the train", "next": "/today/"},
    )
    assert (answer.status_code, answer["Location"]) == (303, "/today/")
    assert world.duty(stage.reported).accountable == world.tom
    stage.world.clock.advance(days=4)  # Tom is on holiday
    back = as_user(world.petra).get(f"/problems/{stage.foreign.pk}/pass-on/")
    assert back.status_code == 404
