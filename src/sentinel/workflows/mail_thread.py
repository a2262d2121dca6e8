"""What an incoming mail answers, recognised by the strongest key it carries.

A signed token (in the address it came to, in the Message-ID it names, in a link it quotes) proves that
its writer had our mail in hand. A plain Message-ID can be guessed, a From address written by anybody:
both are hints, never proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from django.db.models.functions import Lower

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery
from sentinel.checkins.models import CheckIn, Response
from sentinel.inbound.reading import Reading
from sentinel.inbound.states import ThreadKey
from sentinel.kernel.links import LinkError, Purpose
from sentinel.outbox.selectors import MessageView, message_by_header, message_for
from sentinel.people.models import User
from sentinel.problems.models import Confirmation, Problem, Proposal
from sentinel.ui.links import MAILBOX_DAYS, read_mailbox, read_public_token

#: Links in old mail still say who was asked; what they may do is decided by what they point to.
_LINK_DAYS = 1095
#: A hostile mail names thousands of each; a person's own comes first or nearly so.
_MOST_KEYS = 100
_WORKER = ("worker__site__account__owner", "worker__site__calendar")
_DELIVERY_ID = re.compile(r"rd-([a-z2-7]{44})", re.IGNORECASE)
_REPLIES = (Purpose.REPLY_TO_DELIVERY, Purpose.REPLY_TO_MESSAGE)
_BOUNCES = (Purpose.BOUNCE_OF_DELIVERY, Purpose.BOUNCE_OF_MESSAGE)


@dataclass(frozen=True, kw_only=True)
class Thread:
    """What a mail answers. ``is_signed``: a token of ours proves it.

    ``addresses``: where that mail was sent to, lower case; whoever writes from there is who we wrote to.
    ``proposal_id``: that mail asked whether it is solved. ``confirmation_id``: it told of a yes said on
    the telephone. ``user``: it went to a user. ``is_unsubscribe``: the address does nothing else.
    """

    key: ThreadKey
    is_signed: bool = False
    worker: Worker | None = None
    user: User | None = None
    addresses: frozenset[str] = frozenset()
    check_in_id: int | None = None
    problem_id: int | None = None
    proposal_id: int | None = None
    confirmation_id: int | None = None
    sent_text: str = ""
    is_unsubscribe: bool = False
    delivery: Delivery | None = None
    message: MessageView | None = None

    def is_from_worker(self, reading: Reading) -> bool:
        """Whether the From address is the worker's own, as we know it or as we wrote to it."""
        if self.worker is None:
            return False
        return reading.from_address.lower() in {self.worker.email.lower(), *self.addresses}


NOTHING = Thread(key=ThreadKey.NONE)


def find_thread(reading: Reading, *, envelope_to: str, today: date) -> Thread:
    """What the mail answers; :data:`NOTHING` when it cannot be told.

    A Message-ID that anybody could guess is proven by a signed link of the same worker in the quoted text.
    """
    found = next(filter(None, _candidates(reading, envelope_to=envelope_to, today=today)), NOTHING)
    if found.key is not ThreadKey.REFERENCES or found.is_signed or found.worker is None:
        return found
    linked = (_by_link(purpose, token, today) for purpose, token in reading.link_tokens[:_MOST_KEYS])
    proven = any(link is not None and link.worker == found.worker for link in linked)
    return replace(found, is_signed=proven)


def _candidates(reading: Reading, *, envelope_to: str, today: date) -> Iterator[Thread | None]:
    for address in _first((envelope_to, *reading.recipients)):
        yield _by_address(address, today)
    reported = [report.original_message_id for report in reading.reports]
    reported += [reading.complaint.original_message_id] if reading.complaint else []
    for message_id in _first((*reading.references, *reported)):
        yield _by_message_id(message_id, today)
    for purpose, token in reading.link_tokens[:_MOST_KEYS]:
        yield _by_link(purpose, token, today)
    yield _by_sender(reading.from_address)


def _first(keys: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(keys), _MOST_KEYS))


def _by_address(address: str, today: date) -> Thread | None:
    try:
        purpose, subject_id = read_mailbox(address, today=today)
    except LinkError:
        return None
    if purpose is Purpose.UNSUBSCRIBE:
        worker = _worker(subject_id)
        return replace(_about_worker(worker, ThreadKey.TOKEN), is_unsubscribe=True) if worker else None
    key = ThreadKey.TOKEN if purpose in _REPLIES else ThreadKey.VERP
    if purpose in (Purpose.REPLY_TO_DELIVERY, Purpose.BOUNCE_OF_DELIVERY):
        return _by_delivery(subject_id, key)
    message = message_for(subject_id) if purpose in (*_REPLIES, *_BOUNCES) else None
    return _by_message(message, key, is_signed=True) if message else None


def _by_message_id(message_id: str, today: date) -> Thread | None:
    """Our Message-ID of a check-in is a signed token; that of any other mail is only a name."""
    found = _DELIVERY_ID.fullmatch(message_id.strip().strip("<>").partition("@")[0])
    if found is None:
        message = message_by_header(message_id)
        return _by_message(message, ThreadKey.REFERENCES, is_signed=False) if message else None
    try:
        subject_id = read_public_token(
            found[1].lower(), Purpose.REPLY_TO_DELIVERY, today=today, valid_days=MAILBOX_DAYS
        )
    except LinkError:
        return None
    return _by_delivery(subject_id, ThreadKey.REFERENCES)


def _by_delivery(delivery_id: int, key: ThreadKey) -> Thread | None:
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    check_in = _check_in(delivery.check_in_id) if delivery else None
    if delivery is None or check_in is None:
        return None
    found = _about_check_in(check_in, key)
    return replace(found, delivery=delivery, addresses=frozenset({delivery.address.lower()}))


def _by_message(message: MessageView, key: ThreadKey, *, is_signed: bool) -> Thread | None:
    """The keys of our messages name what they are about: ``problem.ask:<problem>:<proposal>:<n>``."""
    known = Thread(
        key=key,
        is_signed=is_signed,
        addresses=frozenset({message.address.lower()} if message.address else ()),
        problem_id=message.problem_id,
        sent_text=str(message.payload.get("text", "")),
        message=message,
    )
    if message.recipient_kind == "user":
        user = User.objects.filter(pk=message.recipient_id, is_active=True).first()
        return replace(known, user=user) if user else None
    worker = _worker(message.recipient_id)
    if worker is None:
        return None
    return _with_question(replace(known, worker=worker), message)


def _with_question(known: Thread, message: MessageView) -> Thread | None:
    """What exactly a mail to a worker asked or told."""
    numbers = [int(part) for part in message.dedupe_key.split(":")[1:] if part.isdecimal()]
    match message.kind:
        case "check_in.question" if numbers:
            check_in = _check_in(numbers[0])
            return _with_check_in(known, check_in) if check_in else None
        case "response.answer" if numbers:
            answered = Response.objects.filter(pk=numbers[0]).values_list("check_in_id", flat=True).first()
            return replace(known, check_in_id=answered)
        case "problem.ask" | "problem.ask_again" | "problem.ask_plainly" if len(numbers) >= 2:
            return replace(known, proposal_id=numbers[1])
        case "problem.confirmed_by_telephone" if len(numbers) >= 2:
            return replace(known, confirmation_id=numbers[1])
        case _:
            return known


def _by_link(purpose: str, token: str, today: date) -> Thread | None:
    try:
        wanted = Purpose(purpose)
        subject_id = read_public_token(token, wanted, today=today, valid_days=_LINK_DAYS)
    except (LinkError, ValueError):
        return None
    found = _SUBJECTS[wanted](subject_id) if wanted in _SUBJECTS else None
    return replace(found, key=ThreadKey.LINK) if found else None


def _answer_link(check_in_id: int) -> Thread | None:
    check_in = _check_in(check_in_id)
    return _about_check_in(check_in, ThreadKey.LINK) if check_in else None


def _problem_link(problem_id: int) -> Thread | None:
    problem = Problem.objects.select_related(*_WORKER).filter(pk=problem_id).first()
    if problem is None:
        return None
    return replace(_about_worker(problem.worker, ThreadKey.LINK), problem_id=problem.pk)


def _confirm_link(proposal_id: int) -> Thread | None:
    asked = Proposal.objects.filter(pk=proposal_id).values_list("problem_id", flat=True).first()
    found = _problem_link(asked) if asked else None
    return replace(found, proposal_id=proposal_id) if found else None


def _objection_link(confirmation_id: int) -> Thread | None:
    said = Confirmation.objects.filter(pk=confirmation_id)
    problem_id = said.values_list("proposal__problem_id", flat=True).first()
    found = _problem_link(problem_id) if problem_id else None
    return replace(found, confirmation_id=confirmation_id) if found else None


def _worker_link(worker_id: int) -> Thread | None:
    worker = _worker(worker_id)
    return _about_worker(worker, ThreadKey.LINK) if worker else None


_SUBJECTS: Mapping[Purpose, Callable[[int], Thread | None]] = {
    Purpose.ANSWER: _answer_link,
    Purpose.PROBLEM: _problem_link,
    Purpose.CONFIRM: _confirm_link,
    Purpose.OBJECT: _objection_link,
    Purpose.PREFERENCES: _worker_link,
    Purpose.UNSUBSCRIBE: _worker_link,
}


def _by_sender(address: str) -> Thread | None:
    if not address:
        return None
    rows = Worker.objects.select_related("site__account__owner", "site__calendar")
    # Written like the index: "iexact" would read every worker for every stranger's mail.
    worker = rows.alias(known_as=Lower("email")).filter(known_as=address.lower()).first()
    return Thread(key=ThreadKey.SENDER, worker=worker) if worker else None


def _about_worker(worker: Worker, key: ThreadKey) -> Thread:
    return Thread(key=key, is_signed=True, worker=worker)


def _about_check_in(check_in: CheckIn, key: ThreadKey) -> Thread:
    return _with_check_in(_about_worker(check_in.worker, key), check_in)


def _with_check_in(known: Thread, check_in: CheckIn) -> Thread:
    """A check-in can ask whether a problem is solved: then a reply answers that. Not a solution that was
    proposed after it had been sent: a yes to the last one, late, is none to this one."""
    problem_id = check_in.about_problem_id
    if problem_id is None:
        return replace(known, check_in_id=check_in.pk)
    current = Proposal.objects.filter(
        problem=problem_id, settled_at__isnull=True, at__lte=check_in.sent_at or check_in.planned_for
    )
    asked = current.values_list("pk", flat=True).first()
    return replace(known, check_in_id=check_in.pk, problem_id=problem_id, proposal_id=asked)


def _check_in(check_in_id: int) -> CheckIn | None:
    return CheckIn.objects.select_related(*_WORKER).filter(pk=check_in_id).first()


def _worker(worker_id: int) -> Worker | None:
    rows = Worker.objects.select_related("site__account__owner", "site__calendar")
    return rows.filter(pk=worker_id).first()
