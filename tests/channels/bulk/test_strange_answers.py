"""Whatever bytes a mail server answers with: nothing is lost, sent twice, or held up by them."""

from __future__ import annotations

import pytest

from sentinel.bulk.models import Delivery
from tests.channels.bulk.office import launch, relay, sending, states, wait_until
from tests.fakes.smtp_sink import Script, Sink

pytestmark = pytest.mark.django_db(transaction=True)

STRANGE = ("a\0b", "a\x1fb", "\x1b[31mred", "\\u0000 {}", "x" * 3000)


def at(step: str, reply: str) -> Script:
    """A server that answers this to one worker only."""
    return lambda asked, recipient, _took: reply if asked == step and recipient.startswith("odd") else None


@pytest.mark.parametrize("words", STRANGE)
@pytest.mark.parametrize(
    ("step", "code", "end"), [("BODY", "250 2.0.0", "sent"), ("RCPT", "550 5.1.1", "failed")]
)
def test_a_strange_answer_settles_its_own_mail_and_no_other(
    step: str, code: str, end: str, words: str
) -> None:
    launch("odd@lindgren.example", *(f"w{number}@lindgren.example" for number in range(9)))
    with Sink(script=at(step, f"{code} {words}")) as sink, sending(relay(sink, connections=2)):
        wait_until(lambda: states() in ({"sent": 10}, {"sent": 9, "failed": 1}))
        assert len(sink.recipients) == len(set(sink.recipients))
    odd = Delivery.objects.get(address="odd@lindgren.example")
    assert odd.state == end
    assert odd.answer.isprintable()
    others = Delivery.objects.exclude(pk=odd.pk)
    assert set(others.values_list("answer", flat=True)) == {"queued"}
