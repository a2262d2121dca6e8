"""Every screen of the console with the address it has on the stage, and who looks at it."""

from __future__ import annotations

from datetime import timedelta

from sentinel.calls.models import PlacedCall
from sentinel.people.absence_calendars import keep_calendar
from sentinel.people.models import Absence, AbsenceCalendar, User
from sentinel.problems.models import Problem
from tests.web.console.stage import Stage


def screens(stage: Stage) -> dict[str, tuple[str, User]]:
    """name → (address, viewer)"""
    _calls(stage)
    world, account = stage.world, stage.world.account.pk
    simulate = f"/simulator/?site={world.kyiv.pk}&at=2026-03-06T16:50&severity=hinders"
    return _of_people(stage) | {
        "today": ("/today/", world.maria),
        "today-officer": ("/today/", world.ines),
        "today-empty": ("/today/", world.henrik),
        "problems": ("/problems/", world.maria),
        "storm": (f"/storms/{stage.proposed.pk}/?open=promise", world.maria),
        "problem-reported": (f"/problems/{stage.reported.pk}/", world.petra),
        "problem-promise": (f"/problems/{stage.talked.pk}/?open=promise", world.maria),
        "problem-proposed": (f"/problems/{stage.proposed.pk}/", world.maria),
        "problem-confirmed": (f"/problems/{stage.confirmed.pk}/", world.maria),
        "problem-reopened": (f"/problems/{stage.reopened.pk}/", world.maria),
        "call-brief": (f"/problems/{stage.reported.pk}/call/", world.maria),
        "call-ringing": (f"/problems/{stage.promised.pk}/call/", world.tom),
        "call-over": (f"/problems/{stage.reopened.pk}/call/", world.maria),
        "pass-on": (f"/problems/{stage.reported.pk}/pass-on/", world.maria),
        "problem-new": (f"/workers/{world.olena.pk}/problem/", world.maria),
        "accounts": ("/accounts/", world.petra),
        "account": (f"/accounts/{account}/", world.maria),
        "account-workers": (f"/accounts/{account}/workers/", world.maria),
        "account-problems": (f"/accounts/{account}/problems/", world.maria),
        "account-voices": (f"/accounts/{account}/voices/", world.maria),
        "account-timeline": (f"/accounts/{account}/timeline/", world.maria),
        "roster": (f"/accounts/{account}/roster/", world.maria),
        "roster-preview": (f"/accounts/{account}/roster/{stage.roster.pk}/", world.maria),
        "site": (f"/accounts/{account}/sites/{world.kyiv.pk}/", world.maria),
        "worker": (f"/workers/{world.olena.pk}/", world.maria),
        "voices": ("/responses/", world.maria),
        "response": (f"/responses/{stage.comment.pk}/", world.maria),
        "please-check": (f"/please-check/{stage.check.pk}/", world.maria),
        "team": ("/team/", world.petra),
        "simulator": (simulate, world.petra),
        "health": ("/health/", world.ada),
        "notices": ("/notices/", world.maria),
        "webhooks": ("/webhooks/", world.ada),
        **_mail_and_demonstration(stage),
    }


def _mail_and_demonstration(stage: Stage) -> dict[str, tuple[str, User]]:
    """The same for the rooms behind."""
    world = stage.world
    return {
        "runs": ("/mail/runs/", world.ada),
        "run": (f"/mail/runs/{stage.post.run.pk}/", world.ada),
        "incoming": ("/mail/incoming/", world.ada),
        "incoming-mine": ("/mail/incoming/?show=all", world.maria),
        "incoming-one": (f"/mail/incoming/{stage.post.placed.pk}/", world.maria),
        "incoming-unplaced": (f"/mail/incoming/{stage.post.unplaced.pk}/", world.ada),
        "domains": ("/mail/domains/", world.ada),
        "left-alone": ("/mail/left-alone/", world.ada),
        "mail-doctor": ("/mail/doctor/", world.ada),
        "scanners": ("/mail/scanners/", world.alan),
        "mailroom": ("/mailroom/", world.maria),
        "mail": (f"/mailroom/{stage.mail.pk}/", world.maria),
        "clock": ("/clock/", world.maria),
        "styleguide": ("/console/styleguide/", world.ada),
    }


def _calls(stage: Stage) -> None:
    """One call that rings, and one that is over and not logged; two tests likewise."""
    _call(stage, stage.promised, stage.world.tom, state="owner_rings")
    ended = stage.at - timedelta(minutes=3)
    _call(
        stage,
        stage.reopened,
        stage.world.maria,
        state="ended",
        reason="completed",
        ended_at=ended,
        bridged_at=ended,
        talk_seconds=134,
    )

    _call(stage, None, stage.world.petra, worker_number="", state="owner_rings")
    unheard = {"state": "ended", "reason": "unheard", "ended_at": ended}
    _call(stage, None, stage.world.ines, worker_number="", **unheard)


def _call(stage: Stage, problem: Problem | None, user: User, **columns: object) -> None:
    """A call that Sentinel placed, as far as it has come."""
    fixed = {
        "key": f"call-{problem.pk if problem else user.email}",
        "provider": "sip",
        "owner_number": "+4930555010",
        "worker_number": "+380445550103",
        "requested_at": stage.at - timedelta(minutes=6),
        "changed_at": stage.at - timedelta(minutes=6),
        "seen_at": stage.at - timedelta(minutes=6),
    }
    PlacedCall.objects.get_or_create(problem=problem, user=user, defaults=fixed | columns)


def _of_people(stage: Stage) -> dict[str, tuple[str, User]]:
    """The rota and what belongs to a user alone: a calendar that failed, a day as officer while away."""
    world = stage.world
    kept = keep_calendar(
        user=world.maria,
        url="https://calendar.example.com/ical/private-0123456789/basic.ics",
        words="holiday, leave",
        deputy_id=world.tom.pk,
        now=stage.at,
    )
    failed = {"error": "calendar.example.com answered 500.", "tried_at": stage.at, "read_at": stage.at}
    AbsenceCalendar.objects.filter(pk=kept.pk).update(kept_back=1, taken=2, **failed)
    Absence.objects.get_or_create(
        user=world.ines, starts_at=stage.at + timedelta(days=9), ends_at=stage.at + timedelta(days=11)
    )
    return {
        "rota": ("/rota/", world.petra),
        "rota-officer": ("/rota/", world.ines),
        "rota-asked": ("/rota/", world.henrik),
        "hours": ("/profile/hours/", world.maria),
        "profile-lost": ("/profile/", stage.lost),
        "profile": ("/profile/", world.maria),
        "profile-test-call": ("/profile/", world.petra),
        "profile-tested": ("/profile/", world.ines),
    }
