"""The back office for the programme and the ladders: who may, what is refused, what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.contrib import admin
from django.test import Client

from sentinel.checkins.messages import QUESTIONS
from sentinel.checkins.models import CheckIn, Programme
from sentinel.escalation.models import FrozenRung, Ladder, Rung
from sentinel.escalation.rules import DEFAULT_POLICY
from sentinel.escalation.selectors import policy_of, policy_of_ladder
from sentinel.ops.commands import programme as module
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage

PROGRAMMES, LADDERS = "/admin/checkins/programme/", "/admin/escalation/ladder/"
QUESTION = "Is anything in your way?"


@pytest.fixture
def office(stage: Stage, as_user: SignedIn) -> Client:
    return as_user(stage.world.ada)


def programme_fields(**changes: Any) -> dict[str, Any]:
    """What the form sends for the shipped programme; None leaves a field out, as an empty box does."""
    fields = {
        "name": "Second",
        "provider_name": "Meridian",
        "sender_address": "hello@example.com",
        "question_en": QUESTION,
        "question_de": "",
        "window_days": ["0", "4"],
        "window_start": "08:00",
        "window_end": "10:30",
        "new_worker_weeks": "4",
        "silent_cycles_before_slowing": "3",
        "minimum_days_between": "7",
        "follow_up_days": "14",
        "answer_valid_days": "45",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def ladder_fields(ladder: Ladder | None = None, **changes: Any) -> dict[str, Any]:
    """What the form sends for the shipped ladder, new or in place of a stored one."""
    stored = list(ladder.rungs.all()) if ladder else []
    fields: dict[str, Any] = {
        "name": ladder.name if ladder else "Key accounts",
        "tier": "" if ladder else "key",
        "acknowledge_within": "15m",
        "call_within": "1 hour",
        "call_again_after": "30 minutes",
        "promise_within_days": "1",
        "solve_within_days": "5",
        "stopped_solve_within_days": "1",
        "ask_again_after_days": "2,5,10",
        "ask_by_call_after_days": "5",
        "ask_on_after_days": "20",
        "rungs-TOTAL_FORMS": str(len(DEFAULT_POLICY.rungs)),
        "rungs-INITIAL_FORMS": str(len(stored)),
    }
    for index, rung in enumerate(DEFAULT_POLICY.rungs):
        fields[f"rungs-{index}-position"] = str(rung.position)
        fields[f"rungs-{index}-after"] = f"{rung.after // timedelta(minutes=1)}m"
        fields[f"rungs-{index}-audience"] = [part.value for part in rung.audience]
        if rung.takes_over:
            fields[f"rungs-{index}-takes_over"] = "on"
        if rung.breaks_quiet_hours:
            fields[f"rungs-{index}-breaks_quiet_hours"] = "on"
        if stored:
            fields[f"rungs-{index}-id"] = str(stored[index].pk)
            fields[f"rungs-{index}-ladder"] = str(stored[index].ladder_id)
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def standard() -> Ladder:
    return Ladder.objects.get(is_default=True)


def change_of(ladder: Ladder) -> str:
    return f"{LADDERS}{ladder.pk}/change/"


# -- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [PROGRAMMES, f"{PROGRAMMES}add/", LADDERS, f"{LADDERS}add/"])
def test_only_administrators_see_programme_and_ladders(stage: Stage, as_user: SignedIn, page: str) -> None:
    assert as_user(stage.world.ada).get(page).status_code == 200
    for user in (stage.world.maria, stage.world.petra, stage.world.henrik, stage.world.alan):
        assert as_user(user).get(page).status_code == 302


def test_what_runs_a_loop_has_no_page(stage: Stage) -> None:
    registered = {model.__name__ for model in admin.site._registry}
    loop = {"Problem", "Duty", "FrozenPolicy", "FrozenRung", "Confirmation", "Proposal", "Commitment", "Call"}
    assert not registered & loop
    assert {"Programme", "Ladder"} <= registered


def test_the_menu_leads_administrators_there_and_nobody_else(stage: Stage, as_user: SignedIn) -> None:
    for page in (PROGRAMMES, LADDERS):
        assert f'href="{page}"' in as_user(stage.world.ada).get("/today/").content.decode()
        assert f'href="{page}"' not in as_user(stage.world.petra).get("/today/").content.decode()


def test_today_tells_an_administrator_that_nobody_is_asked(stage: Stage, as_user: SignedIn) -> None:
    assert "Nobody is asked yet" not in as_user(stage.world.ada).get("/today/").content.decode()
    Programme.objects.update(is_active=False)
    assert "Set up the programme" in as_user(stage.world.ada).get("/today/").content.decode()
    assert "Nobody is asked yet" not in as_user(stage.world.petra).get("/today/").content.decode()


# -- the programme --------------------------------------------------------------------------------


def test_a_new_programme_falls_back_to_the_shipped_questions(office: Client) -> None:
    assert office.post(f"{PROGRAMMES}add/", programme_fields()).status_code == 302
    made = Programme.objects.get(name="Second")
    assert made.questions == {**QUESTIONS, "en": QUESTION}
    assert (made.window_days, made.is_active) == ([0, 4], False)
    event = Event.objects.latest("id")
    assert (event.verb, event.data["before"]) == (Verb.PROGRAMME_CHANGED, None)
    assert event.data["after"]["sender_address"] == "hello@example.com"


def test_the_empty_form_offers_what_sentinel_ships(office: Client) -> None:
    page = office.get(f"{PROGRAMMES}add/")
    form = page.context["adminform"].form
    assert form.initial["window_days"] == [1, 2, 3]
    assert page.content.decode().count(" checked") >= 3
    assert QUESTIONS["ja"] in page.content.decode()


def test_a_programme_is_changed_and_both_sides_are_recorded(stage: Stage, office: Client) -> None:
    programme = stage.world.programme
    fields = programme_fields(name=programme.name, is_active="on")
    assert office.post(f"{PROGRAMMES}{programme.pk}/change/", fields).status_code == 302
    data = Event.objects.latest("id").data
    assert (data["before"]["window_start"], data["after"]["window_start"]) == ("09:00", "08:00")
    assert Event.objects.latest("id").actor_id == stage.world.ada.pk


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender_address": "nobody"}, "sender_address"),
        ({"sender_address": ""}, "sender_address"),
        ({"window_end": "08:00"}, "window_end"),
        ({"window_days": None}, "window_days"),
        ({"is_active": "on"}, "is_active"),
        ({"minimum_days_between": "0"}, "minimum_days_between"),
    ],
)
def test_a_programme_that_cannot_work_is_refused(office: Client, changes: dict[str, Any], field: str) -> None:
    answer = office.post(f"{PROGRAMMES}add/", programme_fields(**changes))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Programme.objects.filter(name="Second").exists()


def test_a_programme_that_asked_somebody_stays(stage: Stage, office: Client) -> None:
    assert CheckIn.objects.filter(programme=stage.world.programme).exists()
    address = f"{PROGRAMMES}{stage.world.programme.pk}/delete/"
    assert office.post(address, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [stage.world.programme.pk], "post": "yes"}
    office.post(PROGRAMMES, chosen)
    assert Programme.objects.filter(pk=stage.world.programme.pk).exists()
    office.post(f"{PROGRAMMES}add/", programme_fields())
    unused = Programme.objects.get(name="Second")
    assert office.post(f"{PROGRAMMES}{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Event.objects.latest("id").data["after"] is None


# -- the ladders ----------------------------------------------------------------------------------


def test_a_ladder_is_changed_and_both_sides_are_recorded(stage: Stage, office: Client) -> None:
    changes = {"call_within": "45m", "rungs-2-after": "45 minutes"}
    assert office.post(change_of(standard()), ladder_fields(standard(), **changes)).status_code == 302
    assert policy_of_ladder(standard()).rungs[2].after == timedelta(minutes=45)
    event = Event.objects.latest("id")
    assert (event.verb, event.actor_id) == (Verb.LADDER_CHANGED, stage.world.ada.pk)
    assert event.data["before"]["rungs"][2]["after"] == "1 hour"
    assert event.data["after"]["rungs"][2]["after"] == "45 minutes"
    assert event.data["after"]["call_within"] == "45 minutes"


def test_saving_without_a_change_keeps_the_ladder_to_the_letter(stage: Stage, office: Client) -> None:
    before, events = policy_of_ladder(standard()), Event.objects.count()
    assert office.post(change_of(standard()), ladder_fields(standard())).status_code == 302
    assert policy_of_ladder(standard()) == before == DEFAULT_POLICY
    assert (Event.objects.count(), standard().is_default) == (events, True)


def test_a_running_problem_keeps_its_ladder(stage: Stage, office: Client) -> None:
    policy, duty = policy_of(stage.reported), stage.world.duty(stage.reported)
    frozen = list(FrozenRung.objects.order_by("pk").values())
    changes = {"acknowledge_within": "5m", "rungs-1-after": "5m"}
    assert office.post(change_of(standard()), ladder_fields(standard(), **changes)).status_code == 302
    assert policy_of(stage.reported) == policy
    assert list(FrozenRung.objects.order_by("pk").values()) == frozen
    assert stage.world.duty(stage.reported).fire_at == duty.fire_at
    assert policy_of(stage.world.frown(worker=stage.world.olena)).acknowledge_within == timedelta(minutes=5)
    assert "Running loops are not touched" in office.get(change_of(standard())).content.decode()


def test_durations_are_shown_in_words(office: Client) -> None:
    page = office.get(change_of(standard())).content.decode()
    assert 'value="15 minutes"' in page
    assert 'value="8 hours"' in page


def test_a_new_ladder_starts_with_the_shipped_rungs(stage: Stage, office: Client) -> None:
    assert 'value="8 hours"' in office.get(f"{LADDERS}add/").content.decode()
    assert office.post(f"{LADDERS}add/", ladder_fields()).status_code == 302
    made = Ladder.objects.get(tier="key")
    assert policy_of_ladder(made) == DEFAULT_POLICY
    assert not made.is_default
    assert Event.objects.latest("id").data["before"] is None


def test_the_first_ladder_of_an_installation_is_the_default(office: Client) -> None:
    Ladder.objects.all().delete()
    fields = ladder_fields(name="Ours", tier=None)
    assert office.post(f"{LADDERS}add/", fields).status_code == 302
    assert standard().name == "Ours"


def test_rungs_can_be_taken_out_and_renumbered_at_once(office: Client) -> None:
    changes = {"rungs-2-DELETE": "on", "rungs-3-position": "2", "rungs-4-position": "3"}
    assert office.post(change_of(standard()), ladder_fields(standard(), **changes)).status_code == 302
    rungs = policy_of_ladder(standard()).rungs
    assert [rung.position for rung in rungs] == [0, 1, 2, 3]
    assert rungs[2].takes_over


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rungs-0-after": "1m"}, "Position 0 is the first word"),
        ({"rungs-0-position": "5"}, "Every rung comes later"),
        ({"rungs-4-position": "7"}, "count up from 0"),
        ({"rungs-4-position": "3"}, "count up from 0"),
        ({"rungs-3-after": "1h"}, "Every rung comes later"),
        ({"rungs-3-audience": None}, "This field is required"),
        ({"rungs-1-after": "20m"}, "must equal “acknowledge within”"),
        ({f"rungs-{index}-DELETE": "on" for index in (1, 2, 3, 4)}, "at least one rung beyond"),
        ({"rungs-2-after": "soon"}, "is not a duration"),
        ({"rungs-4-after": "99w"}, "Between 0 minutes and 30 days"),
        ({"acknowledge_within": "0m", "rungs-1-after": "0m"}, "Between 1 minute and 30 days"),
        ({"ask_on_after_days": "0"}, "Between 1 and 250"),
        ({"ask_again_after_days": "5,2"}, "between 1 and 250 and grow"),
        ({"ask_by_call_after_days": "3"}, "must be one of the days"),
    ],
)
def test_a_ladder_that_leads_nowhere_is_refused(
    office: Client, changes: dict[str, Any], sentence: str
) -> None:
    answer = office.post(change_of(standard()), ladder_fields(standard(), **changes))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert policy_of_ladder(standard()) == DEFAULT_POLICY


def test_a_ladder_governs_one_account_or_one_tier(stage: Stage, office: Client) -> None:
    account: dict[str, Any] = {"account": str(stage.world.account.pk)}
    for changes in ({"tier": ""}, account):
        assert office.post(f"{LADDERS}add/", ladder_fields(**changes)).status_code == 200
    assert office.post(f"{LADDERS}add/", ladder_fields(**account, tier="")).status_code == 302
    assert office.post(f"{LADDERS}add/", ladder_fields(name="Key")).status_code == 302
    again = office.post(f"{LADDERS}add/", ladder_fields(name="Key again"))
    assert "This tier has a ladder already" in again.content.decode()


def test_the_default_ladder_cannot_be_deleted_and_others_can(office: Client) -> None:
    office.post(f"{LADDERS}add/", ladder_fields())
    key = Ladder.objects.get(tier="key")
    assert office.post(f"{LADDERS}{standard().pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [standard().pk], "post": "yes"}
    office.post(LADDERS, chosen)
    assert standard()
    assert office.post(f"{LADDERS}{key.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Rung.objects.filter(ladder=key.pk).exists()
    data = Event.objects.latest("id").data
    assert (data["before"]["name"], data["after"]) == ("Key accounts", None)


# -- at the shell ---------------------------------------------------------------------------------


@pytest.fixture
def shell(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @contextmanager
    def already_running() -> Iterator[None]:
        yield

    monkeypatch.setattr(module, "database_running", already_running)
    return CliRunner()


def create(shell: CliRunner, *more: str, sender: str = "hello@example.com") -> Result:
    options = ["create", "--provider", "Meridian", "--sender", sender, "--name", "Third", *more]
    return shell.invoke(module.command, options)


def test_the_command_creates_and_shows_a_programme(shell: CliRunner) -> None:
    Programme.objects.update(is_active=False)
    assert shell.invoke(module.command, ["show"]).exit_code == 1
    result = create(shell, "--day", "fri", "--day", "mon", "--from", "13:00", "--until", "15:30")
    assert result.exit_code == 0, result.output
    assert "on Monday, Friday, 13:00 to 15:30" in result.output
    assert Programme.objects.get(is_active=True).questions == QUESTIONS
    assert Event.objects.latest("id").verb == Verb.PROGRAMME_CHANGED
    assert "hello@example.com" in shell.invoke(module.command, ["show"]).output


def test_the_command_refuses_a_second_programme(shell: CliRunner) -> None:
    result = create(shell)
    assert (result.exit_code, "'Check-in' is active" in result.output) == (1, True)
    assert Programme.objects.count() == 1


@pytest.mark.parametrize("wrong", [["--from", "12:00"], ["--sender", "nobody"]])
def test_the_command_refuses_what_cannot_work(shell: CliRunner, wrong: list[str]) -> None:
    Programme.objects.update(is_active=False)
    assert create(shell, *wrong).exit_code == 2
    assert Programme.objects.count() == 1
