"""The addresses on a mail lead back to that very mail, whichever of our two ways it left by."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

from sentinel.bulk.models import Delivery
from sentinel.channels.email.mime import build
from sentinel.checkins.models import CheckIn
from sentinel.kernel.links import Purpose
from sentinel.ui.links import read_mailbox
from tests.world import World


def test_a_check_in_and_a_receipt_with_the_same_number_lead_to_different_things(
    world: World, settings: Any
) -> None:
    settings.INBOUND_DOMAIN = "in.sentinel.example"
    world.tick()
    world.advance_to(CheckIn.objects.get(worker=world.olena, state="planned").planned_for)
    world.tick()
    delivery = Delivery.objects.get(worker_id=world.olena.pk, state="sent")
    world.frown("It jams")
    world.tick()
    today = world.now.date()
    found = {}
    for message in [sent for sent in world.email.sent if sent.recipient_id == world.olena.pk]:
        envelope = build(message)
        reply = read_mailbox(str(message_from_bytes(envelope.content)["Reply-To"]), today=today)
        bounce = read_mailbox(envelope.sender, today=today)
        found[message.kind] = (reply, bounce, message.id)
    assert found["check_in.question"][:2] == (
        (Purpose.REPLY_TO_DELIVERY, delivery.pk),
        (Purpose.BOUNCE_OF_DELIVERY, delivery.pk),
    )
    reply, bounce, number = found["problem.receipt"]
    assert reply == (Purpose.REPLY_TO_MESSAGE, number)
    assert bounce == (Purpose.BOUNCE_OF_MESSAGE, number)
