"""`sentinel doctor mail` at a shell, and the same examination asked for on a screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django.fixtures import Settings

from sentinel.channels.email.doctor.setup import addresses_to_ask, setup_of, specimen
from sentinel.checkins.models import Programme
from sentinel.engine.passes import check_up_mail
from sentinel.kernel.links import LinkForged
from sentinel.ops.commands import doctor as module
from sentinel.standing.errors import CheckUpRefused
from sentinel.standing.models import CheckUp
from sentinel.standing.selectors import check_ups, last_check_up, waiting_check_ups
from sentinel.standing.services import ask_check_up
from sentinel.ui.links import read_mailbox
from tests.channels.test_dkim import key, pem
from tests.fakes.name_server import NameServer
from tests.fakes.smtp import SmtpServer

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DOMAIN = "provider.example"
ZONE = {
    DOMAIN: {"MX": [f"10 mail.{DOMAIN}."], "TXT": ["v=spf1 ip4:203.0.113.9 -all"]},
    f"mail.{DOMAIN}": {"A": ["203.0.113.9"]},
    f"_dmarc.{DOMAIN}": {"TXT": [f"v=DMARC1; p=reject; rua=mailto:d@{DOMAIN}"]},
    "9.113.0.203.in-addr.arpa": {"PTR": [f"mail.{DOMAIN}."]},
}


@pytest.fixture(autouse=True)
def _world_of_the_test(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    @contextmanager
    def already_running() -> Iterator[None]:
        yield

    monkeypatch.setattr(module, "database_running", already_running)
    Programme.objects.create(
        name="Everybody",
        provider_name="Copyworks",
        questions={},
        sender_address=f"care@{DOMAIN}",
        window_days=[1],
        window_start=time(9),
        window_end=time(11),
        started_at=NOW,
    )
    with NameServer(ZONE) as server, SmtpServer() as relay:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={"name_server": server.address, "email_url": f"smtp://127.0.0.1:{relay.port}"}
        )
        yield


def run(*arguments: str) -> Result:
    return CliRunner().invoke(module.command, ["mail", *arguments])


def test_it_says_in_plain_words_what_to_change_and_keeps_the_result() -> None:
    result = run(DOMAIN, "--ip", "203.0.113.9")
    assert result.exit_code == 1
    assert "ok    provider.example takes mail" in result.output
    assert "ok    SPF lets the relay send" in result.output
    assert "BAD   Links in mail are not encrypted" in result.output
    assert "set SENTINEL_BASE_URL to https" in " ".join(result.output.split())
    kept = last_check_up(DOMAIN)
    assert kept is not None
    assert {finding["check"] for finding in kept.findings} >= {"mx", "spf", "dmarc", "ptr", "bulk_rules"}


def test_the_domain_is_the_programmes_own_when_left_out() -> None:
    found = json.loads(run("--json").output)
    assert found["domain"] == DOMAIN
    assert set(found["findings"][0]) == {"check", "grade", "title", "what_to_do", "evidence"}


def test_nonsense_is_refused() -> None:
    assert run("example").exit_code == 2
    assert run(DOMAIN, "--ip", "here").exit_code == 2
    assert not CheckUp.objects.exists()


def test_a_wrong_setting_is_said_in_a_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"dkim_key": tmp_path / "key.pem"})
    result = run(DOMAIN)
    assert result.exit_code == 1
    assert "SENTINEL_DKIM_KEY holds no private key" in result.output


def test_the_key_to_publish_is_that_of_the_settings(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(pem(key()))
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"dkim_key": tmp_path / "key.pem"})
    assert f"sentinel._domainkey.{DOMAIN}. TXT" in run(DOMAIN).output


def test_the_engine_examines_what_was_asked_for_on_the_screen() -> None:
    asked = ask_check_up(domain=f" {DOMAIN.upper()} ", user_id=3, now=NOW)
    assert ask_check_up(domain=DOMAIN, user_id=4, now=NOW) == asked
    assert list(waiting_check_ups()) == [asked]
    assert check_up_mail.run(NOW) == 1
    assert check_up_mail.run(NOW) == 0
    (done,) = check_ups()
    assert done.done_at == NOW
    assert done.error == ""
    assert len(done.findings) > 9


def test_what_goes_wrong_is_said_on_the_screen(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"name_server": "nonsense"})
    ask_check_up(domain=DOMAIN, user_id=None, now=NOW)
    assert check_up_mail.run(NOW) == 1
    (done,) = check_ups()
    assert "SENTINEL_NAME_SERVER" in done.error


def test_only_a_domain_can_be_asked_about() -> None:
    with pytest.raises(CheckUpRefused):
        ask_check_up(domain="not a domain", user_id=None, now=NOW)


def test_a_check_in_as_it_would_leave_is_small_and_can_be_unsubscribed_from() -> None:
    found = specimen(NOW)
    assert found is not None
    assert 3_000 < found.size < 20_000
    assert found.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert "/u/" in found.headers["list-unsubscribe"]
    Programme.objects.all().delete()
    assert specimen(NOW) is None


def test_the_set_up_is_that_of_the_settings(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = "in.provider.example"
    setup = setup_of(DOMAIN, selectors=("s1",))
    assert setup.envelope_domain == "in.provider.example"
    assert setup.selectors == ("s1", "sentinel")
    assert [relay.host for relay in setup.relays] == ["127.0.0.1"]
    ours, forged = addresses_to_ask(NOW)
    assert read_mailbox(ours, today=NOW.date())
    with pytest.raises(LinkForged):
        read_mailbox(forged, today=NOW.date())
