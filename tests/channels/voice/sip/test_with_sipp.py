"""Real calls on this machine, with telephones that follow a scenario to the letter (SIPp)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sentinel.channels.voice.base import CallState, EndReason, Leg
from sentinel.channels.voice.sip import calls
from sentinel.channels.voice.sip.network import AsyncioNetwork
from sentinel.channels.voice.sip.wire import Timing
from tests.channels.voice.sip import sipp
from tests.channels.voice.sip.exchange import SETTINGS, Office, office
from tests.fakes.ports import wait_until

pytestmark = pytest.mark.sip
ALL_STATES = list(CallState)[1:]


@pytest.fixture
def desk() -> Iterator[Office]:
    with office() as running:
        yield running


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_connects_two_telephones_and_hangs_up_both(desk: Office, tmp_path: Path, transport: str) -> None:
    with (
        sipp.telephone("owner", [*sipp.OWNER, sipp.hung_up()], tmp_path / "o", transport=transport) as owner,
        sipp.telephone(
            "worker", [*sipp.WORKER, sipp.hung_up()], tmp_path / "w", transport=transport
        ) as worker,
    ):
        ref = desk.call(owner.address, worker.address)
        desk.wait_for(ref, CallState.BRIDGED)
        desk.calls.hang_up(ref)
        ended = desk.ended(ref)
        assert owner.is_content()
        assert worker.is_content()
    assert desk.states(ref) == ALL_STATES
    assert ended.reason is EndReason.COMPLETED


def test_people_take_their_time(desk: Office, tmp_path: Path) -> None:
    slow_owner = (sipp.ringing(700), *sipp.OWNER[1:], sipp.hung_up())
    slow_worker = (sipp.ringing(900), *sipp.WORKER[1:], sipp.hangs_up())
    with (
        sipp.telephone("owner", slow_owner, tmp_path / "o") as owner,
        sipp.telephone("worker", slow_worker, tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert (ended.reason, ended.leg) == (EndReason.COMPLETED, Leg.WORKER)


def test_a_busy_worker_releases_the_owner(desk: Office, tmp_path: Path) -> None:
    busy = [sipp.recv("INVITE"), sipp.send(486, retrans=500), sipp.recv("ACK")]
    held = [sipp.ringing(), sipp.answer(), sipp.recv("ACK", holds="0.0.0.0"), sipp.hung_up()]
    with (
        sipp.telephone("owner", held, tmp_path / "o") as owner,
        sipp.telephone("worker", busy, tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert (ended.reason, ended.leg) == (EndReason.BUSY, Leg.WORKER)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, EndReason.BUSY),
        (603, EndReason.DECLINED),
        (480, EndReason.UNREACHABLE),
        (302, EndReason.UNREACHABLE),
        (503, EndReason.FAILED),
    ],
)
def test_an_owner_who_cannot_be_had_ends_the_call(
    desk: Office, tmp_path: Path, status: int, reason: EndReason
) -> None:
    steps = [sipp.recv("INVITE"), sipp.send(180), sipp.send(status, retrans=500), sipp.recv("ACK")]
    with sipp.telephone("owner", steps, tmp_path / "o") as owner:
        ref = desk.call(owner.address, "sip:nobody@127.0.0.1:9")
        ended = desk.ended(ref)
        assert owner.is_content()
    assert (ended.reason, ended.leg) == (reason, Leg.OWNER)
    assert CallState.OWNER_ANSWERED not in desk.states(ref)


def test_nobody_answers_and_the_ringing_stops(desk: Office, tmp_path: Path) -> None:
    held = [sipp.ringing(), sipp.answer(), sipp.recv("ACK"), sipp.hung_up()]
    with (
        sipp.telephone("owner", held, tmp_path / "o") as owner,
        sipp.telephone("worker", [sipp.ringing(), sipp.cancelled()], tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address, ring_worker_seconds=1))
        assert owner.is_content()
        assert worker.is_content()
    assert (ended.reason, ended.leg) == (EndReason.NO_ANSWER, Leg.WORKER)


def test_the_owner_hangs_up_while_the_worker_rings(desk: Office, tmp_path: Path) -> None:
    impatient = [sipp.ringing(), sipp.answer(), sipp.recv("ACK"), sipp.pause(300), sipp.hangs_up()]
    with (
        sipp.telephone("owner", impatient, tmp_path / "o") as owner,
        sipp.telephone("worker", [sipp.ringing(), sipp.cancelled()], tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert (ended.reason, ended.leg) == (EndReason.CANCELLED, Leg.OWNER)


@pytest.mark.parametrize(("said", "rings"), [([100], 0), ([182], 0), ([180, 183], 1), ([183], 1)])
def test_that_a_telephone_rings_is_said_by_its_exchange(
    desk: Office, tmp_path: Path, said: list[int], rings: int
) -> None:
    steps = [sipp.recv("INVITE"), *map(sipp.send, said), sipp.send(486, retrans=500), sipp.recv("ACK")]
    with sipp.telephone("owner", steps, tmp_path / "o") as owner:
        ref = desk.call(owner.address, "sip:nobody@127.0.0.1:9")
        desk.ended(ref)
        assert owner.is_content()
    on_the_way = [CallState.DIALING_OWNER, *[CallState.OWNER_RINGS] * rings]
    assert desk.states(ref) == [*on_the_way, CallState.ENDED]


def test_a_call_is_taken_back_while_the_owner_rings(desk: Office, tmp_path: Path) -> None:
    with sipp.telephone("owner", [sipp.ringing(), sipp.cancelled()], tmp_path / "o") as owner:
        ref = desk.call(owner.address, "sip:nobody@127.0.0.1:9")
        desk.wait_for(ref, CallState.OWNER_RINGS)
        desk.calls.hang_up(ref)
        ended = desk.ended(ref)
        assert owner.is_content()
    assert ended.reason is EndReason.CANCELLED


def test_the_longest_call_ends_by_itself(desk: Office, tmp_path: Path) -> None:
    with (
        sipp.telephone("owner", [*sipp.OWNER, sipp.hung_up()], tmp_path / "o") as owner,
        sipp.telephone("worker", [*sipp.WORKER, sipp.hung_up()], tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address, longest_seconds=1))
        assert owner.is_content()
        assert worker.is_content()
    assert ended.reason is EndReason.COMPLETED
    assert ended.talk_seconds >= 1


LOCKED = replace(SETTINGS, username="sentinel", password="a:secret", outbound="")


@pytest.mark.parametrize(
    "challenges",
    [
        [sipp.challenge(401)],
        [sipp.challenge(401, more="")],
        [sipp.challenge(401), sipp.challenge(401, nonce="def", more=', qop="auth,auth-int", stale=true')],
    ],
    ids=["401", "without qop", "stale nonce"],
)
def test_it_signs_in_where_it_is_asked_to(tmp_path: Path, challenges: list[str]) -> None:
    owner_steps = [
        *challenges,
        sipp.verified("sentinel", "a:secret"),
        sipp.send(180),
        sipp.answer(),
        sipp.recv("ACK", holds="Authorization: Digest"),
        # What was asked for once is offered at once from then on.
        sipp.verified("sentinel", "a:secret").replace("welcome", "again"),
        sipp.answer(tag=False),
        sipp.recv("ACK"),
        sipp.recv("BYE", holds="Authorization: Digest"),
        sipp.send(200, tag=False),
    ]
    with (
        office(LOCKED) as desk,
        sipp.telephone("owner", owner_steps, tmp_path / "o") as owner,
        sipp.telephone("worker", [*sipp.WORKER, sipp.hangs_up()], tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert ended.reason is EndReason.COMPLETED


def test_it_signs_in_at_a_proxy_too(tmp_path: Path) -> None:
    steps = [sipp.challenge(407), sipp.recv("INVITE", holds="Proxy-Authorization: Digest"), sipp.send(486)]
    with office(LOCKED) as locked, sipp.telephone("owner", steps, tmp_path / "o") as owner:
        ended = locked.ended(locked.call(owner.address, "sip:nobody@127.0.0.1:9"))
        assert owner.is_content()
    assert ended.reason is EndReason.BUSY


def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    steps = [sipp.challenge(401), sipp.challenge(401, nonce="def")]
    with office(LOCKED) as desk, sipp.telephone("owner", steps, tmp_path / "o") as owner:
        ended = desk.ended(desk.call(owner.address, "sip:nobody@127.0.0.1:9"))
        assert owner.is_content()
    assert ended.reason is EndReason.FAILED
    assert "does not let us call" in ended.detail


class LossyNetwork(AsyncioNetwork):
    """Loses the first copy of every datagram, in both directions: nothing arrives unless it is repeated."""

    seen: set[tuple[str, bytes]] = set()

    def _is_lost(self, way: str, data: bytes) -> bool:
        lost = (way, data) not in self.seen
        self.seen.add((way, data))
        return lost

    def send_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if not self._is_lost("out", data):
            super().send_datagram(data, address)

    def take_datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if not self._is_lost("in", data):
            super().take_datagram(data, address)


def test_a_call_survives_the_loss_of_every_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "AsyncioNetwork", LossyNetwork)
    eager = replace(SETTINGS, timing=Timing(t1=0.1, t2=0.8, t4=1.0))
    # SIPp recognises a repeated INVITE only where it has answered once, so nothing rings here.
    owner_steps = [sipp.recv("INVITE"), *sipp.OWNER[1:], sipp.hung_up(), sipp.lingers()]
    # It waits, because SIPp takes no re-INVITE before the ACK that it follows.
    worker_steps = [sipp.recv("INVITE"), sipp.pause(1500), *sipp.WORKER[1:], sipp.hung_up(), sipp.lingers()]
    patient = ["-pause_msg_ign"]
    with (
        office(eager) as desk,
        sipp.telephone("owner", owner_steps, tmp_path / "o") as owner,
        sipp.telephone("worker", worker_steps, tmp_path / "w", options=patient) as worker,
    ):
        ref = desk.call(owner.address, worker.address)
        desk.wait_for(ref, CallState.BRIDGED)
        wait_until(lambda: owner.has_seen("CSeq: 2 ACK") and worker.has_seen("CSeq: 1 ACK"), "both ACKs")
        desk.calls.hang_up(ref)
        ended = desk.ended(ref)
        assert owner.is_content()
        assert worker.is_content()
    assert ended.reason is EndReason.COMPLETED


def test_putting_the_other_on_hold_reaches_the_other(desk: Office, tmp_path: Path) -> None:
    holding = [
        *sipp.OWNER,
        sipp.pause(200),
        sipp.ask("INVITE", sdp=True, more="      a=sendonly\n"),
        sipp.recv_response(200, holds="a=recvonly"),
        sipp.ask("ACK"),
        sipp.hangs_up(2),
    ]
    held = [
        *sipp.WORKER,
        sipp.recv("INVITE", holds="a=sendonly"),
        sipp.answer(tag=False, more="      a=recvonly\n", version=2),
        sipp.recv("ACK"),
        sipp.hung_up(),
    ]
    with (
        sipp.telephone("owner", holding, tmp_path / "o") as owner,
        sipp.telephone("worker", held, tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert (ended.reason, ended.leg) == (EndReason.COMPLETED, Leg.OWNER)


def test_two_proposals_that_cross_are_sorted_out(desk: Office, tmp_path: Path) -> None:
    crossing = [
        *sipp.OWNER[:3],
        sipp.recv("INVITE"),
        sipp.send(491, tag=False, retrans=500),
        sipp.recv("ACK"),
        *sipp.OWNER[3:],
        sipp.pause(300),
        sipp.hangs_up(),
    ]
    with (
        sipp.telephone("owner", crossing, tmp_path / "o") as owner,
        sipp.telephone("worker", [*sipp.WORKER, sipp.hung_up()], tmp_path / "w") as worker,
    ):
        ended = desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()
    assert ended.reason is EndReason.COMPLETED


REFUSES = (sipp.recv("INVITE"), sipp.send(488, retrans=500), sipp.recv("ACK"))


def test_telephones_that_want_an_offer_get_one(desk: Office, tmp_path: Path) -> None:
    owner_steps = [
        *REFUSES,
        sipp.recv("INVITE", holds="c=IN IP4 0.0.0.0"),
        sipp.send(180),
        sipp.answer(more="      a=inactive\n"),
        sipp.recv("ACK"),
        sipp.recv("INVITE", holds="m=audio 30000"),
        sipp.answer(tag=False, version=2),
        sipp.recv("ACK"),
        sipp.hung_up(),
    ]
    worker_steps = [
        *REFUSES,
        sipp.recv("INVITE", holds="m=audio"),
        sipp.send(180),
        sipp.answer(media="30000"),
        sipp.recv("ACK"),
        sipp.pause(300),
        sipp.hangs_up(),
    ]
    with (
        sipp.telephone("owner", owner_steps, tmp_path / "o") as owner,
        sipp.telephone("worker", worker_steps, tmp_path / "w") as worker,
    ):
        ref = desk.call(owner.address, worker.address)
        ended = desk.ended(ref)
        assert owner.is_content()
        assert worker.is_content()
    assert ended.reason is EndReason.COMPLETED
    assert desk.states(ref) == ALL_STATES


def test_requests_follow_the_way_that_the_answers_came(desk: Office, tmp_path: Path) -> None:
    proxy = "Record-Route: <sip:127.0.0.1:[local_port];lr;Transport=UDP>"
    routed = [
        sipp.recv("INVITE"),
        sipp.send(180),
        sipp.answer(headers=proxy),
        sipp.recv("ACK", holds="Route: .sip:127.0.0.1:[0-9]*;lr"),
        sipp.recv("BYE", holds="Route: .sip:127.0.0.1:[0-9]*;lr"),
        sipp.send(200, tag=False),
    ]
    busy = [sipp.recv("INVITE"), sipp.send(486, retrans=500), sipp.recv("ACK")]
    with (
        sipp.telephone("owner", routed, tmp_path / "o") as owner,
        sipp.telephone("worker", busy, tmp_path / "w") as worker,
    ):
        desk.ended(desk.call(owner.address, worker.address))
        assert owner.is_content()
        assert worker.is_content()


def test_an_exchange_that_names_an_address_nobody_can_reach_is_called_all_the_same(tmp_path: Path) -> None:
    hidden = sipp.answer().replace("sip:[local_ip]:[local_port]", "sip:pbx.invalid:5060")
    steps = [sipp.ringing(), hidden, sipp.recv("ACK", holds="ACK sip:pbx.invalid"), sipp.hangs_up()]
    with sipp.telephone("pbx", steps, tmp_path / "p", transport="tcp") as pbx:
        way = f"sip:127.0.0.1:{pbx.port};transport=tcp"
        with office(replace(SETTINGS, outbound=way, always_outbound=True)) as desk:
            # The scenario is for one call, so the worker's telephone says nothing.
            ended = desk.ended(desk.call("+4989100", "+4989200"))
        assert pbx.is_content()
    assert (ended.reason, ended.leg) == (EndReason.CANCELLED, Leg.OWNER)


def test_the_exchange_can_be_asked_whether_it_is_there(tmp_path: Path) -> None:
    with sipp.telephone("pbx", [sipp.recv("OPTIONS"), sipp.send(200)], tmp_path / "p") as pbx:
        settings = replace(SETTINGS, outbound=f"sip:127.0.0.1:{pbx.port}")
        with office(settings) as desk:
            found = desk.calls.check()
        assert pbx.is_content()
    assert (found.answers, found.detail) == (True, "200 OK")


def test_an_exchange_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with office(replace(SETTINGS, timing=Timing(t1=0.01), outbound="sip:127.0.0.1:9")) as desk:
        assert not desk.calls.check().answers
        ended = desk.ended(desk.call("+4989100", "+4989200"))
    assert (ended.reason, ended.leg) == (EndReason.FAILED, Leg.OWNER)
    with office(replace(SETTINGS, outbound="sip:127.0.0.1:9;transport=tcp")) as desk:
        ended = desk.ended(desk.call("+4989100", "+4989200"))
    assert "no way to the exchange" in ended.detail
