"""Finding the message that a reply or a bounce belongs to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import MessageView, message_by_header, message_by_key, message_for
from sentinel.outbox.services import NewMessage, enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def message() -> MessageView:
    with transaction.atomic():
        new = NewMessage(
            dedupe_key="receipt:1",
            channel="email",
            kind="problem.receipt",
            recipient_kind="worker",
            recipient_id=7,
            address="olena@lindgren.example",
            priority=Priority.LADDER,
        )
        enqueue([new], now=datetime(2026, 3, 6, 9, 0, tzinfo=UTC))
    found = message_by_key("receipt:1")
    assert found is not None
    return found


def test_by_the_number_in_the_address_that_a_reply_came_to(message: MessageView) -> None:
    assert message_for(message.id) == message
    assert message_for(message.id + 1) is None


@pytest.mark.parametrize(
    "form", ["<{}@provider.example>", "{}@provider.example", " <{}@PROVIDER.example>\r\n"]
)
def test_by_the_header_that_a_reply_names(message: MessageView, form: str) -> None:
    assert message_by_header(form.format(message.message_id)) == message
    assert message_by_header(form.format(message.message_id.upper())) == message


@pytest.mark.parametrize("header", ["", "<>", "@", "<@provider.example>", "<other@provider.example>", "\0"])
def test_what_is_no_header_of_ours_finds_nothing(message: MessageView, header: str) -> None:
    assert message_by_header(header) is None
