"""`sentinel doctor calls --ring` by a voice service: what it reports arrives, or the doctor says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from sentinel.calls.models import PlacedCall
from sentinel.channels import registry
from sentinel.channels.voice.base import Intent, Placed
from sentinel.channels.voice.sender import VoiceSender
from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from sentinel.ops import telephone
from sentinel.ops.commands import doctor
from tests.channels.voice.http.desk import Desk, Person
from tests.services.commands import use_the_tests_database


class Hasty(FixedClock):
    """A second goes by whenever somebody asks for the time."""

    def now(self) -> datetime:
        self.advance(seconds=1)
        return super().now()


@pytest.mark.parametrize("hears", [True, False])
def test_a_service_whose_reports_never_arrive_is_told_with_what_to_check(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, hears: bool
) -> None:
    use_the_tests_database(monkeypatch, doctor)
    monkeypatch.setattr(telephone, "LOOKS_EVERY", 0.0)
    clock.install(Hasty(desk.world.now + timedelta(seconds=1)))
    desk.people(Person(presses=()))
    place = desk.voice.place

    def place_and_pick_up(intent: Intent, now: datetime) -> Placed:
        placed = place(intent, now)
        desk.twilio.web.token = desk.settings.token if hears else "so that nothing is believed"
        desk.twilio.play(desk.newest)
        return placed

    monkeypatch.setattr(desk.voice, "place", place_and_pick_up)
    with registry.using({"voice": VoiceSender(desk.voice)}):
        found = CliRunner().invoke(doctor.command, ["calls", "--ring", "maria@example.com"])
    assert "the voice service says the account is active" in found.output
    assert found.exit_code == (0 if hears else 1), found.output
    said = " ".join(found.output.split())
    assert ("Your telephone works" in said) is hears
    assert (f"Check SENTINEL_BASE_URL ({desk.settings.base_url})" in said) is not hears
    assert PlacedCall.objects.get().reason == ("completed" if hears else "unheard")
