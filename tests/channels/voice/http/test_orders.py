"""The end of a call is the same whatever order its reports take, and however often they come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.channels.voice.base import Accepted, CallState, CallStatus, EndReason, Leg
from sentinel.channels.voice.http.events import LegFacts, verdict
from tests.channels.voice.http.desk import intent
from tests.channels.voice.http.ledger import Office, Story, office
from tests.fakes.twilio import Person
from tests.fakes.twilio_calls import Callback
from tests.world import START

BUSY, SILENT, UNKNOWN = Person(does="is busy"), Person(does="lets it ring"), Person(does="is unknown")
CALLS = {
    "they talk": (Person(), Person(), ("completed", "", 60)),
    "the owner hangs up first": (Person(leaves="while talking"), Person(), ("completed", "", 60)),
    "the worker talks": (Person(), BUSY, ("busy", "worker", 0)),
    "the worker is silent": (Person(), SILENT, ("no_answer", "worker", 0)),
    "a wrong number": (Person(), UNKNOWN, ("unreachable", "worker", 0)),
    "the owner gives up": (Person(leaves="while it rings"), Person(), ("cancelled", "owner", 0)),
    "the owner is silent": (SILENT, Person(), ("no_answer", "owner", 0)),
    "voicemail": (Person(presses=()), Person(), ("no_answer", "owner", 0)),
    "the owner leaves": (Person(leaves="in the whisper"), Person(), ("no_answer", "owner", 0)),
    "a machine": (Person(), Person(is_machine=True), ("machine", "worker", 0)),
}


def _life(at: Office, name: str) -> tuple[str, list[Callback]]:
    """One call whose reports are all still under way; its key, and every request of the service again."""
    owner, worker, _ = CALLS[name]
    key = f"key-{len(at.ledger.stories)}"
    at.ledger.stories[key] = Story()
    wanted = intent(key)
    at.twilio.people = {wanted.owner_number: owner, wanted.worker_number: worker}
    at.twilio.web.is_holding = True
    asked = len(at.twilio.web.kept)
    placed = at.voice.place(wanted, at.clock.now())
    assert isinstance(placed, Accepted)
    at.twilio.play(placed.ref)
    at.twilio.web.is_holding = False
    again = [callback for callback, _ in at.twilio.web.kept[asked:]]
    held, at.twilio.web.held = at.twilio.web.held, []
    return key, [*held, *held, *again]


@pytest.mark.parametrize("name", CALLS)
def test_any_order_and_any_number_of_reports_lead_to_the_same_end(name: str) -> None:
    with office(finds_machines=name == "a machine") as at:

        @settings(max_examples=8)
        @given(data=st.data())
        def ends_the_same(data: st.DataObject) -> None:
            key, reports = _life(at, name)
            for report in data.draw(st.permutations(reports)):
                at.twilio.web.tell(report)
            assert at.ledger.stories[key].state is CallState.ENDED
            assert at.ledger.stories[key].end == CALLS[name][2]

        ends_the_same()
        ids = [event.event_id for event in at.ledger.heard]
        assert len(ids) == len(set(ids))
        assert max(map(len, ids)) <= 120


@pytest.mark.parametrize("name", CALLS)
def test_asking_the_service_tells_the_same_end_as_its_reports(name: str) -> None:
    with office(finds_machines=name == "a machine") as at:
        _life(at, name)
        status = at.voice.status(next(iter(at.twilio.calls)))
    assert status is not None
    assert status.reason is not None
    leg = status.leg.value if status.leg else ""
    assert (status.reason.value, leg, status.talk_seconds) == CALLS[name][2]


def test_a_call_that_goes_on_is_where_the_service_says() -> None:
    seen: dict[str, CallState] = {}
    with office() as at:
        at.ledger.stories["key"] = Story()
        wanted = intent("key")
        at.twilio.people = {wanted.owner_number: Person(), wanted.worker_number: Person()}
        placed = at.voice.place(wanted, at.clock.now())
        assert isinstance(placed, Accepted)
        for point in (
            "queued",
            "the owner's telephone rings",
            "the whisper was said",
            "the worker's telephone rings",
            "they talk",
        ):
            at.twilio.play(placed.ref, until=point)
            status = at.voice.status(placed.ref)
            assert status is not None
            seen[point] = status.state
        assert at.voice.status("CA" + "f" * 32) is None
    assert list(seen.values()) == [
        CallState.REQUESTED,
        CallState.OWNER_RINGS,
        CallState.OWNER_ANSWERED,
        CallState.WORKER_RINGS,
        CallState.BRIDGED,
    ]


def test_what_the_service_does_not_know_itself_is_not_guessed() -> None:
    over = LegFacts(status="completed", ended_at=START)
    assert verdict(over, LegFacts(status="in-progress")) is None
    # Without times nobody can tell who gave up: then the worker was rung.
    found = verdict(LegFacts(status="completed"), LegFacts(status="no-answer"))
    assert found == CallStatus(
        state=CallState.ENDED, reason=EndReason.NO_ANSWER, talk_seconds=0, leg=Leg.WORKER
    )
