"""How this Sentinel is set up, as the doctor examines it; and a check-in as it would leave."""

from __future__ import annotations

import uuid
from base64 import b64encode
from datetime import datetime
from email import message_from_bytes

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from sentinel.channels.email.doctor.facts import Relay, Setup, SpecimenFacts
from sentinel.channels.email.mime import build
from sentinel.checkins.messages import QuestionFacts, check_in_question, question_in
from sentinel.checkins.models import Programme
from sentinel.checkins.selectors import active_programme
from sentinel.kernel.links import Purpose
from sentinel.outbox.services import Claimed
from sentinel.ui.links import mailbox
from sentinel.ui.mail import Sender


def sending_domain() -> str:
    """The domain mail comes from; empty before the set-up."""
    programme = active_programme()
    return programme.sender_address.rpartition("@")[2].lower() if programme else ""


def setup_of(domain: str, *, selectors: tuple[str, ...] = (), source_ips: tuple[str, ...] = ()) -> Setup:
    """This Sentinel as it sends for ``domain``. ``selectors``: further DKIM keys to look at."""
    environment = settings.ENVIRONMENT
    programme = active_programme()
    return Setup(
        domain=domain,
        relays=_relays(),
        selectors=tuple(dict.fromkeys((*selectors, environment.dkim_selector))),
        own_key=_public_half(environment.dkim_key.read_bytes()) if environment.dkim_key else "",
        base_url=settings.BASE_URL,
        inbound_domain=settings.INBOUND_DOMAIN,
        has_listener=environment.ear is not None,
        source_ips=source_ips,
        sender_address=programme.sender_address if programme else "",
    )


def _relays() -> tuple[Relay, ...]:
    """Every server our mail is handed to: those of check-ins, and the one of all other mail."""
    environment = settings.ENVIRONMENT
    servers = [*(relay.server for relay in environment.relays), environment.mail_server]
    once = {(server.host, server.port): server for server in servers}
    return tuple(
        Relay(host=server.host, port=server.port, tls=server.tls, has_login=bool(server.username))
        for server in once.values()
    )


def addresses_to_ask(now: datetime) -> tuple[str, str]:
    """An inbound address of ours that names nobody, and the same one with a broken signature."""
    ours = mailbox(Purpose.REPLY_TO_MESSAGE, 0, today=now.date())
    local, _, domain = ours.partition("@")
    broken = local[:-1] + ("a" if local[-1:] != "a" else "b")
    return ours, f"{broken}@{domain}" if ours else ""


def specimen(now: datetime) -> SpecimenFacts | None:
    """The size and headers of a check-in; None before the set-up."""
    programme = active_programme()
    if programme is None:
        return None
    mail = check_in_question(_facts(programme, now))
    content = build(
        Claimed(
            id=0,
            lease_token=uuid.UUID(int=0),
            dedupe_key="mail-doctor",
            channel="email",
            kind="check_in.question",
            recipient_kind="worker",
            recipient_id=0,
            address=programme.sender_address,
            payload=mail.payload(),
            message_id="mail-doctor",
            created_at=now,
            first_due_at=now,
            attempts=0,
            problem_id=None,
            account_id=None,
        )
    ).content
    headers = {name.lower(): str(value) for name, value in message_from_bytes(content).items()}
    return SpecimenFacts(size=len(content), headers=headers)


def _facts(programme: Programme, now: datetime) -> QuestionFacts:
    return QuestionFacts(
        check_in_id=0,
        programme_id=programme.pk,
        worker_id=0,
        worker_name="Olena Kovalenko",
        language="en",
        site_name="Kyiv",
        sender=Sender(
            person="Maria Schulz",
            address=programme.sender_address,
            provider=programme.provider_name,
            reply_to=programme.sender_address,
            telephone="+493055550100",
        ),
        question=question_in(programme.questions, "en"),
        is_first=True,
        now=now,
    )


def _public_half(pem: bytes) -> str:
    """The public key as DKIM publishes it. Raises ValueError for what is no private key."""
    try:
        public = load_pem_private_key(pem, password=None).public_key()
    except (ValueError, TypeError) as error:
        raise ValueError(f"SENTINEL_DKIM_KEY holds no private key in PEM form: {error}") from error
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
