"""`sentinel sender`: checks with Django, then becomes a small process that sends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import override_settings

from sentinel.bulk.models import SenderState
from sentinel.channels.email.bulk.settings import RelaySettings, Settings, Signing, from_json
from sentinel.ops.commands.sender import sender_settings
from tests.channels.bulk.office import CHECKOUT, SECRET, launch, sent, wait_until
from tests.fakes.smtp_sink import Sink
from tests.stories.chaos import database_url


def test_what_the_process_is_told_arrives_as_it_was_meant() -> None:
    told = Settings(
        conninfo="dbname=x",
        secrets=("a", "b"),
        base_url="https://s.example",
        relays=(RelaySettings(host="mail.example", port=25, password="p"),),
        dkim=Signing(key="k", selector="s"),
    )
    assert from_json(told.to_json()) == told
    assert "'p'" not in repr(told)
    assert "dbname" not in repr(told)


@pytest.mark.django_db
def test_the_settings_come_from_the_configuration() -> None:
    with override_settings(INBOUND_DOMAIN="in.sentinel.example"):
        told = sender_settings()
    assert told.reply_domain == "in.sentinel.example"
    assert [relay.name for relay in told.relays] == ["127.0.0.1:25"]
    assert told.dkim is None
    assert "dbname=" in told.conninfo


def as_others_see_it(pid: int) -> tuple[int, str]:
    """Memory in kB and command line."""
    listing = ["ps", "-o", "rss=,args=", "-p", str(pid)]
    kilobytes, _, command = (
        subprocess.run(listing, capture_output=True, text=True).stdout.strip().partition(" ")
    )
    return int(kilobytes), command


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_command_becomes_a_small_process_that_sends_and_stops_when_asked() -> None:
    run = launch(many=50)
    with Sink() as sink:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")},
            "DJANGO_SETTINGS_MODULE": "sentinel.config.settings",
            "SENTINEL_DATABASE_URL": database_url(),
            "SENTINEL_BULK_RELAYS": f"smtp://127.0.0.1:{sink.port}?connections=5",
            "SENTINEL_BASE_URL": "http://testserver",
            "SENTINEL_SECRET_KEY": SECRET,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "sentinel", "sender"],
            env=environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: sent(run) == 50, seconds=60)
            wait_until(lambda: SenderState.objects.filter(alive_at__isnull=False).exists())
            kilobytes, command = as_others_see_it(process.pid)
            assert SECRET not in command
            assert command.endswith("-m sentinel.channels.email.bulk")
            assert kilobytes < 100 * 1024
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0
        assert sink.repeats() == (0, 0)
