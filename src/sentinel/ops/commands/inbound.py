"""`sentinel inbound`: the ear, which takes mail that comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import click
from django.conf import settings

from sentinel.channels.email.inbound.beat import EarBeats, tries
from sentinel.channels.email.inbound.imap import Account, Poller
from sentinel.channels.email.inbound.listener import listening
from sentinel.ops.database import database_running
from sentinel.ops.modes import begin_work
from sentinel.ops.ports import refuse_if_taken
from sentinel.ops.supervisor import stop_on_signals

SECONDS_TO_LEAVE_THE_MAILBOX = 5.0


@click.command("inbound")
def command() -> None:
    """Take replies, bounces and complaints, until stopped.

    Listens by SMTP or LMTP (SENTINEL_INBOUND_LISTEN), fetches a mailbox by IMAP
    (SENTINEL_INBOUND_IMAP_URL), or both. Mail is accepted when it is in the database; the engine reads it.
    Start several if you like: a mail that comes twice is one mail.
    """
    refuse_without_a_way_in()
    ear, account = settings.ENVIRONMENT.ear, _account()
    stop = stop_on_signals()
    with database_running():
        begin_work()
        with ExitStack() as ways:
            if ear is not None:
                ways.enter_context(_listening(ear.protocol, ear.host, ear.port))
            if account is not None:
                ways.enter_context(_fetching(account, stop))
            listener = (ear.host, ear.port) if ear is not None else None
            ways.enter_context(EarBeats(tries(listener=listener, mailbox=account.name if account else "")))
            stop.wait()


def refuse_without_a_way_in() -> None:
    """Raises ClickException when no mail could ever come, or the port is taken."""
    ear, mailbox = settings.ENVIRONMENT.ear, settings.ENVIRONMENT.mailbox
    if not settings.INBOUND_DOMAIN:
        raise click.ClickException(
            "set SENTINEL_INBOUND_DOMAIN to the domain whose mail comes here; without it no address is ours"
        )
    if ear is None and mailbox is None:
        raise click.ClickException(
            "there is nowhere to take mail from: set SENTINEL_INBOUND_LISTEN to listen by SMTP or LMTP, "
            "or SENTINEL_INBOUND_IMAP_URL to fetch a mailbox"
        )
    if ear is not None:
        refuse_if_taken(ear.host, ear.port, variable_of_the_ear())


def variable_of_the_ear() -> str:
    """Which setting moves the ear elsewhere; in a demonstration it follows the web's port."""
    return "SENTINEL_INBOUND_LISTEN" if settings.ENVIRONMENT.inbound_listen else "SENTINEL_PORT"


@contextmanager
def _listening(protocol: Literal["smtp", "lmtp"], host: str, port: int) -> Iterator[None]:
    try:
        with listening(protocol=protocol, host=host, port=port):
            _say(f"takes mail for {settings.INBOUND_DOMAIN} by {protocol} on {host}:{port}")
            yield
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _account() -> Account | None:
    mailbox = settings.ENVIRONMENT.mailbox
    if mailbox is None:
        return None
    return Account(
        host=mailbox.host,
        port=mailbox.port,
        username=mailbox.username,
        password=mailbox.password,
        encrypted=mailbox.encrypted,
        folder=mailbox.folder,
        done_folder=mailbox.done_folder,
    )


@contextmanager
def _fetching(account: Account, stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=Poller(account, stop).run, name="mailbox", daemon=True)
    thread.start()
    _say(f"fetches mail for {settings.INBOUND_DOMAIN} from {account.name}")
    try:
        yield
    finally:
        # Whatever it is waiting for: what is not committed lies in the mailbox and is fetched again.
        stop.set()
        thread.join(timeout=SECONDS_TO_LEAVE_THE_MAILBOX)


def _say(text: str) -> None:
    click.echo(f"sentinel: {text}", err=True)
