"""Who can be reached, where people decide who hears of what: ladders, rota, profile, Health, Today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sentinel.assurance.models import Canary
from sentinel.escalation.models import Duty, Ladder
from sentinel.people.models import OfficerShift, User
from sentinel.people.reach import mark_mail_refused
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def lose(stage: Stage, *users: User) -> None:
    for user in users:
        mark_mail_refused(user_id=user.pk, address=user.email, reason="550 no such user", now=stage.at)


def ladder_form(ladder: Ladder) -> dict[str, Any]:
    """What the page of a ladder sends when somebody saves it as it is."""
    typed: dict[str, Any] = {
        "name": ladder.name,
        "account": "",
        "tier": "",
        "acknowledge_within": "15m",
        "call_within": "1h",
        "call_again_after": "30m",
        "promise_within_days": "1",
        "solve_within_days": "5",
        "stopped_solve_within_days": "1",
        "ask_again_after_days": "2,5,10",
        "ask_by_call_after_days": "5",
        "ask_on_after_days": "20",
        "rungs-TOTAL_FORMS": str(ladder.rungs.count()),
        "rungs-INITIAL_FORMS": str(ladder.rungs.count()),
        "rungs-MIN_NUM_FORMS": "0",
        "rungs-MAX_NUM_FORMS": "20",
    }
    for number, rung in enumerate(ladder.rungs.all()):
        typed |= {
            f"rungs-{number}-id": str(rung.pk),
            f"rungs-{number}-ladder": str(ladder.pk),
            f"rungs-{number}-position": str(rung.position),
            f"rungs-{number}-after": f"{int(rung.after.total_seconds()) // 60}m",
            f"rungs-{number}-audience": list(rung.audience),
        }
        for flag in ("takes_over", "breaks_quiet_hours"):
            if getattr(rung, flag):
                typed[f"rungs-{number}-{flag}"] = "on"
    return typed


def test_saving_a_ladder_warns_of_whom_it_would_not_reach(stage: Stage, as_user: SignedIn) -> None:
    lose(stage, stage.world.maria)
    ladder = Ladder.objects.get(is_default=True)
    address = f"/admin/escalation/ladder/{ladder.pk}/change/"
    answer = as_user(stage.world.ada).post(address, ladder_form(ladder), follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain
    assert "Rung 0 (Lindgren Logistics) would reach nobody. Maria Schulz has no way that works" in page


def test_a_ladder_with_a_rung_that_reaches_nobody_at_all_is_refused(stage: Stage, as_user: SignedIn) -> None:
    lose(stage, stage.world.maria, stage.world.otto)
    ladder = Ladder.objects.get(is_default=True)
    before = list(ladder.rungs.values_list("pk", flat=True))
    answer = as_user(stage.world.ada).post(
        f"/admin/escalation/ladder/{ladder.pk}/change/", ladder_form(ladder)
    )
    assert answer.status_code == 200
    assert "would reach nobody" in answer.content.decode()
    assert list(ladder.rungs.values_list("pk", flat=True)) == before


def test_the_simulator_marks_whom_no_notice_reaches(stage: Stage, as_user: SignedIn) -> None:
    address = f"/simulator/?site={stage.world.kyiv.pk}&at=2026-03-06T16:50&severity=hinders"
    client = as_user(stage.world.petra)
    assert "cannot be reached" not in client.get(address).content.decode()
    lose(stage, stage.world.maria)
    assert "cannot be reached" in client.get(address).content.decode()


def test_an_officer_out_of_reach_is_marked_on_the_rota_and_not_put_on_it(
    stage: Stage, as_user: SignedIn
) -> None:
    lose(stage, stage.world.henrik)
    client = as_user(stage.world.petra)
    typed = {"shift-on": "2026-03-09", "shift-officer": str(stage.world.henrik.pk)}
    answer = client.post("/rota/officer/", typed)
    assert answer.status_code == 422
    assert "Henrik Vogel has no way that works" in answer.content.decode()
    assert "cannot be reached" not in client.get("/rota/").content.decode()
    lose(stage, stage.world.ines)
    assert "cannot be reached" in client.get("/rota/").content.decode()


def test_the_profile_says_why_and_health_lists_them(stage: Stage, as_user: SignedIn) -> None:
    assert "550 5.1.1 no such user" in as_user(stage.lost).get("/profile/").content.decode()
    page = as_user(stage.world.ada).get("/health/").content.decode()
    assert "Lena Weit has no way that works" in page
    assert "Maria Schulz" not in page


def test_health_does_not_say_that_everything_holds_when_no_engine_looks(
    stage: Stage, as_user: SignedIn
) -> None:
    ada, now = as_user(stage.world.ada), stage.world.now
    fresh = Canary.objects.create(route="canary", sent_at=now, dedupe_key="c1", arrived_at=now)
    Duty.objects.update(fire_at=now + timedelta(hours=1))
    assert "Everything holds" in ada.get("/health/").content.decode()
    Canary.objects.filter(pk=fresh.pk).update(sent_at=now - timedelta(minutes=11))
    page = ada.get("/health/").content.decode()
    assert ("Nobody watches" in page, "Everything holds" in page) == (True, False)


def test_quiet_hours_are_chosen_per_weekday_and_given_up_again(stage: Stage, as_user: SignedIn) -> None:
    client, maria = as_user(stage.world.maria), stage.world.maria
    days = ("mon", "tue", "wed", "thu", "fri")
    typed = {"quiet-zone": "Europe/Berlin"}
    typed |= {f"quiet-{day}_from": "09:00" for day in days} | {f"quiet-{day}_until": "12:00" for day in days}
    assert client.post("/profile/hours/quiet/", typed).status_code == 303
    maria.refresh_from_db()
    assert maria.reach_week == {day: [["09:00", "12:00"]] for day in days}
    assert "You chose: Mon–Fri 09:00–12:00" in client.get("/profile/hours/").content.decode()
    half = client.post("/profile/hours/quiet/", {**typed, "quiet-fri_until": ""})
    assert (half.status_code, "Friday: say from when" in half.content.decode()) == (422, True)
    never = client.post("/profile/hours/quiet/", {"quiet-zone": "Europe/Berlin"})
    assert never.status_code == 422
    client.post("/profile/hours/quiet/", {"clear": "yes"})
    maria.refresh_from_db()
    assert maria.reach_week is None


def test_a_day_is_given_taken_and_the_note_of_the_day_before_is_read_first(
    stage: Stage, as_user: SignedIn
) -> None:
    world = stage.world
    henrik, ines = as_user(world.henrik), as_user(world.ines)
    assert henrik.post(f"/rota/swap/{stage.swap.pk}/accept/").status_code == 303
    assert OfficerShift.objects.get(on=stage.swap.shift.on).officer == world.henrik
    today = OfficerShift.objects.get(on=stage.at.date())
    typed = {"note-shift": str(today.pk), "note-text": "Gate 4 again."}
    assert ines.post("/rota/note/", typed).status_code == 303
    assert "Watch the printers at gate 4." in ines.get("/today/").content.decode()
    assert "Gate 4 again." in ines.get("/rota/").content.decode()
    # A note may name workers: it is for those who see every account.
    assert "Gate 4 again." not in as_user(world.otto).get("/rota/").content.decode()
    later = {"swap-shift": str(today.pk), "swap-of": str(world.henrik.pk), "swap-note": ""}
    assert ines.post("/rota/swap/", later).status_code == 303
    assert henrik.post("/rota/swap/", later).status_code == 422


def test_the_back_office_puts_nobody_out_of_reach_onto_an_account_or_the_rota(
    stage: Stage, as_user: SignedIn
) -> None:
    lose(stage, stage.world.henrik)
    client, account = as_user(stage.world.ada), stage.world.account
    typed = {
        "name": account.name,
        "tier": account.tier,
        "owner": str(stage.lost.pk),
        "manager": str(stage.world.petra.pk),
        "is_active": "on",
    }
    refused = client.post(f"/admin/accounts/account/{account.pk}/change/", typed)
    assert refused.status_code == 200
    assert "Lena Weit has no way that works" in refused.content.decode()
    day = {"on": "2027-06-01", "officer": str(stage.world.henrik.pk)}
    assert "Henrik Vogel has no way" in client.post("/admin/people/officershift/add/", day).content.decode()
    assert not OfficerShift.objects.filter(on="2027-06-01").exists()
