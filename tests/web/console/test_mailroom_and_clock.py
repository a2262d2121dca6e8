"""The mail room and the clock of a demonstration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sentinel.demonstration.selectors import clock_offset
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_a_mail_is_shown_in_a_sandbox_without_scripts_forms_or_origin(
    stage: Stage, as_user: SignedIn, settings: Any
) -> None:
    settings.DEMONSTRATION = True
    answer = as_user(stage.world.maria).get(f"/mailroom/{stage.mail.pk}/html/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "I have a problem" in answer.content.decode()


def test_the_newest_mail_comes_first_and_one_can_read_only_one_persons(
    stage: Stage, as_user: SignedIn, settings: Any
) -> None:
    settings.DEMONSTRATION = True
    client = as_user(stage.world.maria)
    assert "Do you have any problem?" in client.get("/mailroom/").content.decode()
    assert "Do you have any problem?" not in client.get("/mailroom/?to=nobody@example.com").content.decode()


def test_the_clock_moves_forward_for_everybody(stage: Stage, as_user: SignedIn, settings: Any) -> None:
    settings.DEMONSTRATION = True
    before = clock_offset()
    answer = as_user(stage.world.maria).post("/clock/advance/", {"by": "4h"})
    assert answer.status_code == 303
    assert as_user(stage.world.maria).post("/clock/advance/", {"by": "-1h"}).status_code == 404
    from sentinel.demonstration.models import ClockOffset  # why: only this check looks below the selectors

    assert ClockOffset.objects.get(pk=1).offset - before == timedelta(hours=4)


def test_mail_is_found_by_the_recipients_site_and_kind(
    stage: Stage, as_user: SignedIn, settings: Any
) -> None:
    settings.DEMONSTRATION = True
    client = as_user(stage.world.maria)
    subject = stage.mail.subject
    assert subject in client.get("/mailroom/?q=kyi&group=worker").content.decode()
    assert subject not in client.get("/mailroom/?group=user").content.decode()
    assert subject not in client.get("/mailroom/?q=lisbon").content.decode()
