"""The list of addresses we never write to: it outlives workers and rosters, and is lifted with a reason."""

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.standing.errors import AlreadyLifted, SuppressionRefused, SuppressionUnknown
from sentinel.standing.models import Suppression
from sentinel.standing.selectors import suppressed_among, suppression_of, suppressions
from sentinel.standing.services import lift_suppression, suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.timeline.models import Event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


def put(address: str, note: str = "") -> Suppression:
    return suppress(address=address, because=SuppressedBecause.REQUEST, note=note, now=NOW)


def test_an_address_is_found_whatever_its_case() -> None:
    put("Anna@Acme.example")
    assert suppressed_among(["anna@acme.example", "ANNA@ACME.EXAMPLE", "bert@acme.example"]) == {
        "anna@acme.example",
        "ANNA@ACME.EXAMPLE",
    }
    assert suppressed_among([]) == frozenset()


def test_a_domain_covers_its_addresses_and_no_others() -> None:
    put("@acme.example")
    addresses = ["anna@acme.example", "anna@sub.acme.example", "anna@notacme.example"]
    assert suppressed_among(addresses) == {"anna@acme.example"}


def test_twice_is_once_and_keeps_the_first_reason() -> None:
    first = put("anna@acme.example", "by telephone")
    again = suppress(address="anna@acme.example", because=SuppressedBecause.BOUNCE, now=NOW)
    assert again == first
    assert again.because == SuppressedBecause.REQUEST
    assert Event.objects.filter(verb="address.suppressed").count() == 1


def test_lifting_needs_a_reason_and_is_recorded() -> None:
    entry = put("anna@acme.example")
    with pytest.raises(SuppressionRefused):
        lift_suppression(suppression_id=entry.pk, reason="  ", now=NOW)
    lift_suppression(suppression_id=entry.pk, reason="she asked us to", user_id=7, user_name="Ada", now=NOW)
    assert suppressed_among(["anna@acme.example"]) == frozenset()
    event = Event.objects.get(verb="suppression.lifted")
    assert (event.actor_name, event.data["reason"]) == ("Ada", "she asked us to")
    with pytest.raises(AlreadyLifted):
        lift_suppression(suppression_id=entry.pk, reason="again", now=NOW)
    with pytest.raises(SuppressionUnknown):
        lift_suppression(suppression_id=0, reason="x", now=NOW)


def test_after_lifting_it_can_be_suppressed_anew_and_both_are_on_record() -> None:
    lift_suppression(suppression_id=put("anna@acme.example").pk, reason="asked", now=NOW)
    suppress(address="anna@acme.example", because=SuppressedBecause.BOUNCE, now=NOW + timedelta(days=1))
    assert suppressed_among(["anna@acme.example"])
    assert [row.because for row in suppressions(text="ANNA", with_lifted=True)] == ["bounce", "request"]
    assert suppressions(text="anna").count() == 1


def test_the_entry_shown_for_an_address_is_its_own_rather_than_its_domains() -> None:
    put("@acme.example")
    own = put("anna@acme.example")
    assert suppression_of("Anna@acme.example") == own
    found = suppression_of("bert@acme.example")
    assert found is not None
    assert found.address == "@acme.example"
    assert suppression_of("bert@other.example") is None


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SuppressionRefused):
        put("everybody")
