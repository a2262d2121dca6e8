"""`sentinel inbound` as a process of its own: what it acknowledged is there, whatever happens."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.db import connection
from pytest_django.fixtures import Settings

from sentinel.assurance.ears import ears
from sentinel.config.environment import Environment
from sentinel.inbound.models import IncomingMail
from sentinel.kernel.links import Purpose
from sentinel.ops.commands.inbound import command
from sentinel.ops.commands.up import names_of_parts
from sentinel.ui.links import mailbox
from tests.fakes.imap_server import ImapServer
from tests.fakes.ports import free_port, wait_until

DOMAIN = "in.sentinel.example"
CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def reply_to(number: int) -> str:
    return mailbox(Purpose.REPLY_TO_MESSAGE, number, today=date(2026, 3, 6))


def database_url() -> str:
    parts = connection.settings_dict
    host, port = quote(str(parts["HOST"]), safe=""), f":{parts['PORT']}" if parts["PORT"] else ""
    if str(parts["HOST"]).startswith("/"):
        return f"postgresql://{parts['USER']}:{parts['PASSWORD']}@localhost/{parts['NAME']}?host={host}"
    return f"postgresql://{parts['USER']}:{parts['PASSWORD']}@{host}{port}/{parts['NAME']}"


@contextmanager
def inbound(**variables: str) -> Iterator[subprocess.Popen[str]]:
    """The running command, ready to take mail."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")},
        "DJANGO_SETTINGS_MODULE": "sentinel.config.settings",
        "SENTINEL_DATABASE_URL": database_url(),
        "SENTINEL_SECRET_KEY": settings.SECRET_KEY,
        "SENTINEL_INBOUND_DOMAIN": DOMAIN,
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sentinel", "inbound"],
        env=environment,
        cwd=CHECKOUT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if f"mail for {DOMAIN}" in line:
                break
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stderr.close()


@pytest.mark.django_db(transaction=True)
def test_it_takes_mail_until_it_is_stopped_and_then_leaves_at_once() -> None:
    port = free_port()
    with inbound(SENTINEL_INBOUND_LISTEN=f"lmtp://127.0.0.1:{port}") as process:
        with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail("a@b.example", reply_to(1), b"Subject: hello\r\n\r\nhello\r\n")
        wait_until(ears, "the listener says that it hears")
        assert [(ear.way, ear.last_error) for ear in ears()] == [("listener", "")]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert IncomingMail.objects.get().source == "lmtp"
    assert ears() == [], "it went on purpose: nobody need miss it"


@pytest.mark.django_db(transaction=True)
def test_it_fetches_a_mailbox() -> None:
    with ImapServer() as server:
        server.deliver(f"To: {reply_to(1)}\r\n\r\nhello\r\n".encode())
        with inbound(SENTINEL_INBOUND_IMAP_URL=f"imap://user:secret@127.0.0.1:{server.port}/INBOX?done=Done"):
            wait_until(lambda: server.folders["Done"], "the mail is put away")
    assert len(server.folders["Done"]) == 1
    assert IncomingMail.objects.get().envelope_to == reply_to(1)


def is_longer(found: list[int], length: int) -> bool:
    return len(found) > length


@pytest.mark.django_db(transaction=True)
def test_what_was_acknowledged_survives_a_kill_at_any_moment() -> None:
    acknowledged: list[int] = []

    def send(port: int, first: int) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                for number in range(first, first + 10_000):
                    client.sendmail("a@b.example", reply_to(number), b"Subject: n\r\n\r\nhello\r\n")
                    acknowledged.append(number)
        except (OSError, smtplib.SMTPException):
            pass

    for kill in range(3):
        port = free_port()
        with inbound(SENTINEL_INBOUND_LISTEN=f"smtp://127.0.0.1:{port}") as process:
            enough = len(acknowledged) + 100 * (kill + 1)
            clients = [
                threading.Thread(target=send, args=(port, 1 + (kill * 4 + n) * 10_000)) for n in range(4)
            ]
            for client in clients:
                client.start()
            wait_until(partial(is_longer, acknowledged, enough), "acknowledged mails", seconds=60)
            process.kill()
            for client in clients:
                client.join(20)
    assert len(acknowledged) > 300
    kept = set(IncomingMail.objects.values_list("envelope_to", flat=True))
    assert {reply_to(number) for number in acknowledged} <= kept
    # What was committed and not acknowledged any more: at most one mail of each client.
    assert len(kept) - len(acknowledged) <= 12


def refusal() -> str:
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 1
    return done.output


def test_it_says_what_is_missing(settings: Settings) -> None:
    settings.ENVIRONMENT = Environment(secret_key="x" * 32)
    assert "SENTINEL_INBOUND_LISTEN" in refusal()
    assert "SENTINEL_INBOUND_IMAP_URL" in refusal()
    settings.INBOUND_DOMAIN = ""
    assert "set SENTINEL_INBOUND_DOMAIN" in refusal()


def test_it_says_that_somebody_else_listens_there(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings.ENVIRONMENT = Environment(inbound_listen=f"lmtp://127.0.0.1:{port}")
        assert f"port {port} is already in use; set SENTINEL_INBOUND_LISTEN" in refusal()


@pytest.mark.parametrize(
    ("environment", "parts"),
    [
        (Environment(), ["web", "engine", "sender"]),
        (Environment(demonstration=True), ["mailroom", "inbound", "web", "engine", "sender"]),
        (
            Environment(inbound_imap_url="imaps://me:secret@imap.example.com"),
            ["inbound", "web", "engine", "sender"],
        ),
    ],
)
def test_up_starts_it_when_mail_can_come(
    settings: Settings, environment: Environment, parts: list[str]
) -> None:
    settings.ENVIRONMENT = environment
    assert names_of_parts() == parts
