"""Begun deliveries stand in groups: a group holds whoever may be on the wire, and goes when nobody is."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from sentinel.bulk.models import Begun, Delivery
from sentinel.bulk.selectors import begun_ids, deliveries, export_rows
from sentinel.bulk.services import withdraw
from sentinel.bulk.states import DeliveryState
from sentinel.kernel import clock
from tests.channels.bulk.office import launch, relay, sending, sent, states, wait_until
from tests.fakes.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)

#: What changes between a claim and its outcome when all goes well.
_OUTCOME = r"\b(state|attempts|first_tried_at|settled_at|relay|code|enhanced|answer)\b"


def test_no_index_of_deliveries_depends_on_what_an_outcome_writes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'bulk_delivery'")
        definitions = [row[0] for row in cursor.fetchall()]
    assert len(definitions) >= 6
    assert [one for one in definitions if re.search(_OUTCOME, one)] == []


def test_while_a_body_is_on_the_wire_its_delivery_is_shown_as_begun() -> None:
    run = launch(many=8)
    with Sink(processing=0.5) as sink, sending(relay(sink, connections=2)):
        wait_until(lambda: deliveries(run.pk, DeliveryState.BEGUN).count() == 2)
        begun = {row.pk for row in deliveries(run.pk, DeliveryState.BEGUN)}
        assert begun.isdisjoint(row.pk for row in deliveries(run.pk, DeliveryState.CLAIMED))
        assert [row[4] for row in export_rows(run.pk)].count("begun") <= 2
        wait_until(lambda: sent(run) == 8)
    assert not Begun.objects.exists()


def test_whoever_was_put_off_leaves_a_group_that_still_has_somebody_on_the_wire() -> None:
    run = launch("slow@d1.example", "later@d2.example")

    def script(asked: str, recipient: str, _took: int) -> str | None:
        return "451 4.2.0 later" if asked == "BODY" and recipient == "later@d2.example" else None

    with Sink(script=script, processing=0.2) as sink, sending(relay(sink, connections=2)):
        wait_until(lambda: states() == {"sent": 1, "deferred": 1})
        later = Delivery.objects.get(address="later@d2.example")
        assert later.pk not in begun_ids()
    assert not Begun.objects.exists()
    assert (sent(run), sink.repeats()) == (1, (0, 0))


def test_who_is_taken_back_while_a_sender_holds_them_gets_nothing_and_the_counts_stay_right() -> None:
    run = launch(many=60)
    with Sink(processing=0.1) as sink, sending(relay(sink, connections=3)):
        wait_until(lambda: sent(run) >= 3 and Delivery.objects.filter(state="claimed").count() > 20)
        everybody = dict.fromkeys(Delivery.objects.values_list("pk", flat=True), "suppressed")
        taken = withdraw(everybody, now=clock.now())
        assert len(taken) > 20
        wait_until(lambda: sent(run) + len(taken) == 60)
    run.refresh_from_db()
    assert states() == {"sent": run.sent, "skipped": run.skipped}
    assert (run.sent + run.skipped, run.failed, run.deferred) == (60, 0, 0)
    assert len(sink.recipients) == run.sent
    assert not Begun.objects.exists()
