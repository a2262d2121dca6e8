"""Sends check-ins that are on their way, one after the other, through the e-mail channel.

Only single turns of the engine use it: tests, and the filling of a demonstration. In a running system
the process ``sentinel sender`` does it, thousands at a time, with the same states.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sentinel.bulk.editions import Filler, identity_of, values_for
from sentinel.bulk.models import Delivery
from sentinel.bulk.refusals import codes_in, refuses_address
from sentinel.bulk.rules import next_try
from sentinel.bulk.services import begin_next, settle_one
from sentinel.bulk.states import DeliveryState
from sentinel.bulk.unpacking import payload_of_mail
from sentinel.channels import registry
from sentinel.channels.base import Sender, Sent
from sentinel.engine.turns import up_to
from sentinel.kernel.clock import as_utc
from sentinel.kernel.links import Purpose
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.ui.links import mailbox, newest_secret

_CHANNEL = "email"
#: So many in one turn; then the other passes have theirs.
TURN = 200


def run(now: datetime) -> int:
    """One turn; returns how many were tried."""
    return up_to(TURN, handle_one, now)


def handle_one(now: datetime) -> bool:
    """The one that is due first. False when none may go out now."""
    if _CHANNEL not in registry.channels():
        return False
    delivery = begin_next(now)
    if delivery is None:
        return False
    _try(delivery, registry.sender_of(_CHANNEL), now)
    return True


def _try(delivery: Delivery, sender: Sender, now: datetime) -> None:
    sent = sender.send(claimed(delivery), now)
    state, next_at = _outcome(delivery, sent.result, now)
    code, enhanced, answer = _words(sent)
    settle_one(
        delivery,
        state=state,
        now=now,
        next_at=next_at,
        relay=sent.provider,
        code=code,
        enhanced=enhanced,
        answer=answer,
    )


def _outcome(delivery: Delivery, result: Result, now: datetime) -> tuple[DeliveryState, datetime | None]:
    if result is Result.ACCEPTED:
        return DeliveryState.SENT, None
    if result is Result.PERMANENT:
        return DeliveryState.FAILED, None
    again = next_try(attempts=delivery.attempts + 1, first_tried_at=delivery.first_tried_at or now, now=now)
    return (DeliveryState.DEFERRED, again) if again is not None else (DeliveryState.FAILED, None)


def _words(sent: Sent) -> tuple[int | None, str, str]:
    code, enhanced, answer = codes_in(sent.detail)
    if sent.address_refused and not refuses_address(code=code, enhanced=enhanced, answer=answer):
        # The channel knows better: it saw which command was refused.
        return code or 550, "5.1.1", sent.detail
    return code, enhanced, answer


def claimed(delivery: Delivery) -> Claimed:
    """The delivery as a channel sees a message: the payload of the very mail that the sender would send."""
    edition = delivery.edition
    if edition is None:
        raise ValueError(f"delivery {delivery.pk} has no edition")
    values = values_for(
        delivery_id=delivery.pk,
        check_in_id=delivery.check_in_id,
        worker_id=delivery.worker_id,
        name=delivery.name,
        address=delivery.address,
        issued_at=delivery.issued_at,
        secret=newest_secret(),
    )
    content = Filler(bytes(edition.template.compiled), edition.shared).fill(values)
    # Its own address, and not one of an outbox message that happens to have the same number.
    bounce_to = mailbox(Purpose.BOUNCE_OF_DELIVERY, delivery.pk, today=as_utc(delivery.issued_at).date())
    return Claimed(
        id=delivery.pk,
        lease_token=uuid.UUID(int=delivery.pk),
        dedupe_key=f"check_in:{delivery.check_in_id}",
        channel=_CHANNEL,
        kind="check_in.question",
        recipient_kind="worker",
        recipient_id=delivery.worker_id,
        address=delivery.address,
        payload={**payload_of_mail(content), "bounce_to": bounce_to},
        message_id=identity_of(values["reply"]),
        created_at=delivery.issued_at,
        first_due_at=delivery.issued_at,
        attempts=delivery.attempts + 1,
        problem_id=None,
        account_id=delivery.account_id,
    )
