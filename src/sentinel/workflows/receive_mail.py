"""One incoming mail is read and set to work, in one transaction; see docs/explanation/incoming-mail.md.

A crash leaves it waiting and whole. What is refused waits for a person with the reason; what fails is
tried again with growing pauses, and then waits for a person, too. Nothing is dropped.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, transaction

from sentinel.checkins.models import Programme
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.reading import Kind, Ours, Reading, read_mail
from sentinel.inbound.rules import HEAD_BYTES
from sentinel.inbound.services import (
    Links,
    came_before,
    claim_mail,
    lock_mail,
    put_off,
    put_reading,
    raw_of,
    settle_reading,
    step_back,
)
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.kernel.errors import Refused
from sentinel.workflows.automatic_mail import note_absence, note_automatic, take_complaint, take_report
from sentinel.workflows.mail_from_user import act_on_user_mail, user_writing
from sentinel.workflows.mail_from_worker import act_on_worker_mail, unsubscribe
from sentinel.workflows.mail_notices import tell_administrators, tell_owner
from sentinel.workflows.mail_outcome import Arrival, Done
from sentinel.workflows.mail_thread import Thread, find_thread

logger = logging.getLogger(__name__)

#: PostgreSQL's class of errors for what exceeds a limit of its own: then it is the mail after all.
_TOO_MUCH = "54"
#: … and for what passes: connections that end, and transactions that were in each other's way.
_PASSING = ("08", "40", "57P")


def receive_next_mail(*, now: datetime) -> int | None:
    """Handle the mail that has waited longest and no other engine holds. Its id; None when none waits.

    Raises the database's error when it is away, or cannot carry this mail now; then the next one is tried
    before this one is again.
    """
    mail = None
    try:
        with transaction.atomic():
            mail = claim_mail(now=now)
            if mail is None:
                return None
            _handle(mail, now=now)
            return mail.pk
    except (OperationalError, InterfaceError) as error:
        if mail is not None and _is_too_heavy(error):
            # A disk or a memory that is too full for this one may do for the others behind it.
            with suppress(Error):
                step_back(mail_id=mail.pk, error=str(error), now=now)
        raise


def receive_mail(incoming_id: int, now: datetime) -> None:
    """Handle one kept mail when it still waits. Raises MailUnknown."""
    with transaction.atomic():
        mail = lock_mail(incoming_id)
        if mail.state == IncomingState.WAITING.value:
            _handle(mail, now=now)


def _handle(mail: IncomingMail, *, now: datetime) -> None:
    """Everything a mail sets in motion commits with its outcome, or nothing does."""
    try:
        with transaction.atomic():
            arrival = _arrival(mail, now=now)
            _settle(arrival, _act_or_refuse(arrival))
    except Exception as error:
        if _is_innocent(error):
            raise  # it stays waiting, whole
        logger.exception("mail %s cannot be handled", mail.pk)
        if put_off(mail=mail, error=f"{type(error).__name__}: {error}", now=now):
            _tell_of_failure(mail, now=now)


def _arrival(mail: IncomingMail, *, now: datetime) -> Arrival:
    raw = raw_of(mail)
    reading, thread = _read(mail, raw, now=now)
    put_reading(mail=mail, reading=reading, now=now)
    return Arrival(mail=mail, reading=reading, thread=thread, head=raw[:HEAD_BYTES], now=now)


def _settle(arrival: Arrival, done: Done) -> None:
    settle_reading(
        mail=arrival.mail,
        reading=arrival.reading,
        outcome=done.outcome,
        links=done.links,
        thread=arrival.thread.key,
        note=done.note,
        needs_person=done.needs_person,
        said=done.said.value if done.said else "",
        is_from_worker=arrival.is_own if arrival.thread.worker is not None else None,
    )


def _is_innocent(error: Exception) -> bool:
    """Whether the database is away or two engines met, rather than this mail being at fault."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    return not str(getattr(error.__cause__, "sqlstate", "") or "").startswith(_TOO_MUCH)


def _is_too_heavy(error: Exception) -> bool:
    """Whether the database is there and could not carry this mail, rather than away or merely crossed."""
    code = str(getattr(error.__cause__, "sqlstate", "") or "")
    return bool(code) and not code.startswith(_PASSING)


def _read(mail: IncomingMail, raw: bytes, *, now: datetime) -> tuple[Reading, Thread]:
    """Read, find what it answers, and then read the words again with what we had sent taken out."""
    ours = Ours(base_url=settings.BASE_URL, inbound_domain=settings.INBOUND_DOMAIN, senders=_our_addresses())
    read = partial(read_mail, raw, envelope_from=mail.envelope_from, envelope_to=mail.envelope_to, now=now)
    reading = read(ours=ours)
    thread = find_thread(reading, envelope_to=mail.envelope_to, today=now.astimezone(UTC).date())
    if thread.sent_text and reading.kind is Kind.HUMAN:
        again = read(ours=replace(ours, sent_text=thread.sent_text))
        reading = replace(reading, words=again.words, language=again.language)
    return reading, thread


def _our_addresses() -> frozenset[str]:
    return frozenset(
        address.lower() for address in Programme.objects.values_list("sender_address", flat=True)
    )


def _act_or_refuse(arrival: Arrival) -> Done:
    """What cannot be done (any more) waits for a person, who reads why; nothing of it was written."""
    try:
        with transaction.atomic():
            return _act(arrival)
    except Refused as refused:
        tell_owner(arrival, "sent a mail that asks for what is not possible")
        return Done(outcome=Outcome.REFUSED, needs_person=True, note=refused.message, links=arrival.links())


def _act(arrival: Arrival) -> Done:
    if came_before(arrival.mail):
        return Done(outcome=Outcome.TWICE, note="The same mail was handled before.", links=arrival.links())
    match arrival.reading.kind:
        case Kind.UNREADABLE:
            note = "; ".join(arrival.reading.reasons) or "It cannot be read."
            tell_owner(arrival, "sent a mail that cannot be read")
            return Done(outcome=Outcome.UNREADABLE, needs_person=True, note=note, links=arrival.links())
        case Kind.LOOP:
            return Done(outcome=Outcome.LOOP, links=arrival.links())
        case Kind.COMPLAINT:
            return take_complaint(arrival)
        case Kind.DELIVERY_REPORT:
            return take_report(arrival)
        case Kind.OUT_OF_OFFICE:
            return note_absence(arrival)
        case _ if arrival.thread.is_unsubscribe:
            return unsubscribe(arrival)
        case Kind.AUTO_REPLY:
            return note_automatic(arrival)
        case _:
            return _act_on_human(arrival)


def _act_on_human(arrival: Arrival) -> Done:
    user = user_writing(arrival)
    if user is not None:
        return act_on_user_mail(arrival, user)
    if arrival.thread.worker is not None:
        return act_on_worker_mail(arrival)
    if arrival.thread.user is not None:
        note = f"It answers a notice to {arrival.thread.user}, but does not come from their address."
        return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=arrival.links())
    tell_administrators(
        key=f"mail.unplaced:{arrival.now:%Y%m%d}",
        title="Mail came in that nobody could place",
        text="It may be a customer's. Please look who wrote and what about.",
        path="/mail/incoming/",
        now=arrival.now,
    )
    note = "Nothing tells to whom or to what it belongs."
    return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=Links())


def _tell_of_failure(mail: IncomingMail, *, now: datetime) -> None:
    tell_administrators(
        key=f"mail.failed:{mail.pk}",
        title=f"Mail {mail.pk} cannot be handled",
        text=f"It was tried again and again, and waits for a person. {mail.last_error[:300]}",
        path=f"/mail/incoming/{mail.pk}/",
        now=now,
    )
