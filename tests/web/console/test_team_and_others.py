"""Team board, simulator, voices, please check, notices, rota and profile."""

from __future__ import annotations

from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.rules import Severity
from sentinel.escalation.simulation import predict
from sentinel.outbox.selectors import count_unread_notices, notices_of_user
from sentinel.people.models import Absence, OfficerShift
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_a_manager_takes_over_with_one_click(stage: Stage, as_user: SignedIn) -> None:
    manager = as_user(stage.world.petra)
    assert "Take over" in manager.get("/team/").content.decode()
    typed = {"handoverform-to": str(stage.world.petra.pk), "next": "/team/"}
    answer = manager.post(f"/problems/{stage.reported.pk}/hand-over/", typed)
    assert (answer.status_code, answer["Location"]) == (303, "/team/")
    assert stage.world.duty(stage.reported).accountable == stage.world.petra


def test_the_simulator_shows_what_the_rules_predict(stage: Stage, as_user: SignedIn) -> None:
    site = stage.world.kyiv
    address = f"/simulator/?site={site.pk}&at=2026-03-06T16:50&severity=hinders"
    page = as_user(stage.world.petra).get(address).content.decode()
    at = stage.world.now.replace(hour=14, minute=50, second=0, microsecond=0)
    steps = predict(site=site, at=at, severity=Severity.HINDERS)
    assert page.count("<tr>") == len(steps) + 1
    assert "takes over" in page


def test_the_simulator_does_not_know_a_site_one_may_not_see(stage: Stage, as_user: SignedIn) -> None:
    address = f"/simulator/?site={stage.world.kyiv.pk}&at=2026-03-06T16:50&severity=hinders"
    answer = as_user(stage.world.otto).get(address)
    assert answer.status_code == 422
    assert "Kyiv" not in answer.content.decode().replace("Europe/Kyiv", "")


def test_a_voice_is_answered_once(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/responses/{stage.comment.pk}/"
    assert owner.post(address, {"text": "Thank you, I told him."}).status_code == 303
    assert Response.objects.get(pk=stage.comment.pk).answer == "Thank you, I told him."
    again = owner.post(address, {"text": "Once more"})
    assert again.status_code == 409
    assert "Once more" in again.content.decode()


def test_a_please_check_becomes_a_problem_or_nothing(stage: Stage, as_user: SignedIn) -> None:
    owner, address = as_user(stage.world.maria), f"/please-check/{stage.check.pk}/"
    assert owner.post(address, {}).status_code == 422
    answer = owner.post(address, {"outcome": "problem", "note": "He cannot scan"})
    assert answer["Location"].startswith("/problems/")
    assert PleaseCheck.objects.get(pk=stage.check.pk).outcome == "problem"


def test_looking_at_notices_marks_none_as_read_but_the_button_does(stage: Stage, as_user: SignedIn) -> None:
    maria = stage.world.maria
    before = count_unread_notices(maria.pk)
    owner = as_user(maria)
    owner.get("/notices/")
    assert count_unread_notices(maria.pk) == before > 0
    owner.post("/notices/read/")
    assert count_unread_notices(maria.pk) == 0


def test_nobody_reads_the_notices_of_another(stage: Stage, as_user: SignedIn) -> None:
    maria = stage.world.maria
    notice = notices_of_user(maria.pk)[0]
    as_user(stage.world.otto).post(f"/notices/{notice.id}/read/", {"next": "/today/"})
    assert notices_of_user(maria.pk)[0].read_at is None
    as_user(maria).post(f"/notices/{notice.id}/read/", {"next": "/today/"})
    assert notices_of_user(maria.pk)[0].read_at is not None


def test_a_day_of_the_rota_gets_its_officer_and_note(stage: Stage, as_user: SignedIn) -> None:
    typed = {
        "shift-on": "2026-03-09",
        "shift-officer": str(stage.world.henrik.pk),
        "shift-hand_over_note": "Kyiv!",
    }
    assert as_user(stage.world.petra).post("/rota/officer/", typed).status_code == 303
    shift = OfficerShift.objects.get(on="2026-03-09")
    assert (shift.officer, shift.hand_over_note) == (stage.world.henrik, "Kyiv!")


def test_an_absence_is_in_the_users_own_time(stage: Stage, as_user: SignedIn) -> None:
    typed = {
        "starts_at": "2026-03-20T08:00",
        "ends_at": "2026-03-21T08:00",
        "deputy": str(stage.world.tom.pk),
    }
    assert as_user(stage.world.maria).post("/profile/absence/", typed).status_code == 303
    absence = Absence.objects.get(user=stage.world.maria)
    assert absence.starts_at.isoformat() == "2026-03-20T07:00:00+00:00"
