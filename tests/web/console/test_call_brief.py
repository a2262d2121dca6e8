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
