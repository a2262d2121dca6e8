"""`sentinel doctor calls` says whether the exchange is there, and lets one telephone ring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sentinel.calls.models import PlacedCall
from sentinel.channels import registry
from sentinel.channels.voice.exchange import Exchange
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.calls import sip_settings
from sentinel.config.telephone import calls_by
from sentinel.ops.commands import doctor
from sentinel.people.models import User
from tests.channels.voice.sip import sipp
from tests.services.commands import use_the_tests_database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(doctor.command, ["calls", *arguments])


@contextmanager
def exchange(port: int, settings: Any) -> Iterator[None]:
    url = f"sip://127.0.0.1:{port}?listen=127.0.0.1&outbound=direct"
    settings.CALLS_BY = calls_by(url)
    with registry.using({"voice": VoiceSender(Exchange(sip_settings(calls_by(url))))}):
        yield


def test_without_an_exchange_it_says_that_people_dial() -> None:
    with registry.using({}):
        found = run()
    assert (found.exit_code, "dial themselves" in found.output) == (0, True)


@pytest.mark.sip
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answers", [True, False])
def test_only_the_users_own_telephone_rings(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    use_the_tests_database(monkeypatch, doctor)
    there = [sipp.recv("OPTIONS"), sipp.send(200)]
    picked_up = [sipp.ringing(), sipp.answer(), sipp.recv("ACK", holds="0.0.0.0"), sipp.hung_up()]
    busy = [sipp.recv("INVITE"), sipp.send(486, retrans=500), sipp.recv("ACK")]
    with (
        sipp.telephone("pbx", there, tmp_path / "p") as pbx,
        sipp.telephone("maria", picked_up if answers else busy, tmp_path / "m") as maria,
        exchange(pbx.port, settings),
    ):
        User.objects.create_user(
            email="maria@example.com", name="Maria", telephone=f"sip:m@127.0.0.1:{maria.port}"
        )
        found = run("--ring", "Maria@example.com")
        assert pbx.is_content()
        assert maria.is_content()
    assert found.exit_code == (0 if answers else 1), found.output
    assert "the exchange says 200 OK" in found.output
    assert ("the telephone was answered" in found.output) is answers
    assert "dialing owner" in found.output
    assert answers or "Busy. 486 Busy Here" in found.output
    test = PlacedCall.objects.get()
    assert (test.is_test, test.reason) == (True, "completed" if answers else "busy")
