"""Whole calls on a virtual clock: every ending, in every weather, and nothing left over afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sentinel.channels.voice.base import CallState, EndReason
from sentinel.channels.voice.base import Leg as Side
from sentinel.channels.voice.sip.agent import Agent
from sentinel.channels.voice.sip.bridge import Bridge, numbers_of
from sentinel.channels.voice.sip.endings import Ending
from sentinel.channels.voice.sip.message import Headers, Malformed, Request, Response, parse
from sentinel.channels.voice.sip.settings import SipSettings
from tests.channels.voice.sip.exchange import intent
from tests.channels.voice.sip.telephones import Manners, Telephone, description
from tests.channels.voice.sip.world import Internet, Weather, run

OWNER, WORKER, SENTINEL = "192.0.2.1", "192.0.2.2", "192.0.2.9"
SETTINGS = SipSettings(
    number_template="sip:{number}@192.0.2.1", trusted_hosts=frozenset({WORKER}), listen=SENTINEL
)


@dataclass
class Scene:
    """One call between two telephones of the small internet."""

    internet: Internet
    owner: Telephone
    worker: Telephone
    agent: Agent
    bridge: Bridge
    states: list[CallState] = field(default_factory=list)
    ending: Ending | None = None

    async def until(self, state: CallState) -> None:
        while state not in self.states:
            await asyncio.sleep(0.05)

    async def over(self) -> Ending:
        """Wait for the end of the call, and for the last timer to run out."""
        await self.until(CallState.ENDED)
        await asyncio.sleep(100)
        assert self.agent.busy_with == 0
        assert self.ending is not None
        return self.ending


def scene(owner: Manners | None = None, worker: Manners | None = None, **changes: Any) -> Scene:
    """Lay a scene and let the call begin."""
    internet = Internet(changes.pop("weather", None))
    agents: list[Agent] = []
    host = internet.host(SENTINEL, lambda message, path: agents[0].receive(message, path))
    agents.append(Agent(host))
    phones = Telephone(internet, OWNER, owner), Telephone(internet, WORKER, worker)
    wanted = intent(phones[0].address, phones[1].address, **changes)
    scenes: list[Scene] = []

    def came_to(state: CallState, side: Side | None, ending: Ending | None) -> None:
        if scenes and state not in scenes[0].states:
            scenes[0].states.append(state)
            scenes[0].ending = ending if state is CallState.ENDED else None

    bridge = Bridge(agents[0], SETTINGS, wanted, numbers_of(SETTINGS, wanted), came_to)
    scenes.append(Scene(internet, *phones, agents[0], bridge))
    agents[0].spawn(bridge.run())
    return scenes[0]


def connected(it: Scene) -> bool:
    """Whether each telephone knows the other's place."""
    return it.owner.heard.towards == [it.worker.media] and it.worker.heard.towards == [it.owner.media]


def test_two_people_talk_and_the_owner_hangs_up() -> None:
    async def story() -> None:
        it = scene(Manners(talks_for=60))
        await it.until(CallState.BRIDGED)
        await asyncio.sleep(1)
        assert connected(it)
        ending = await it.over()
        assert (ending.reason, ending.side) == (EndReason.COMPLETED, Side.OWNER)
        assert it.bridge.talked() >= 59
        assert (it.owner.heard.state, it.worker.heard.state) == ("hung up", "hung up")
        assert it.states == list(CallState)[1:]

    run(story())


def test_the_owner_reads_who_is_calling_about_what() -> None:
    async def story() -> None:
        it = scene(Manners(talks_for=1), whisper='Anna "Lift"\r\nBcc: x\x07\ud800')
        await it.over()
        invites = [m for _, _, m in it.internet.log if isinstance(m, Request) and m.method == "INVITE"]
        assert invites[0].headers.get("Subject") == 'Anna "Lift" Bcc: x'
        assert invites[0].headers.get("From").startswith('"Anna \\"Lift\\" Bcc: x" <sip:+498912345@')
        to_the_worker = next(m for m in invites if "192.0.2.2" in m.uri)
        assert "Anna" not in to_the_worker.encode().decode()

    run(story())


@pytest.mark.parametrize("owner_status", [0, 488])
@pytest.mark.parametrize("worker_status", [0, 415])
def test_telephones_that_want_an_offer_are_connected_too(owner_status: int, worker_status: int) -> None:
    async def story() -> None:
        it = scene(Manners(offerless=owner_status), Manners(offerless=worker_status, talks_for=5))
        await it.until(CallState.BRIDGED)
        await asyncio.sleep(1)
        assert connected(it)
        assert (await it.over()).reason is EndReason.COMPLETED

    run(story())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, EndReason.UNREACHABLE),
        (403, EndReason.FAILED),
        (404, EndReason.UNREACHABLE),
        (486, EndReason.BUSY),
        (500, EndReason.FAILED),
        (600, EndReason.BUSY),
        (603, EndReason.DECLINED),
    ],
)
@pytest.mark.parametrize("side", list(Side))
def test_a_refusal_ends_the_call_and_says_why(status: int, reason: EndReason, side: Side) -> None:
    async def story() -> None:
        refuses = Manners(refuses=status)
        it = scene(refuses) if side is Side.OWNER else scene(None, refuses)
        ending = await it.over()
        assert (ending.reason, ending.side) == (reason, side)
        assert it.owner.heard.state in ("idle", "hung up")

    run(story())


@pytest.mark.parametrize("side", list(Side))
def test_ringing_ends_in_time_and_stops(side: Side) -> None:
    async def story() -> None:
        deaf = Manners(answers=False)
        it = scene(deaf) if side is Side.OWNER else scene(None, deaf)
        ending = await it.over()
        assert (ending.reason, ending.side) == (EndReason.NO_ANSWER, side)
        assert (it.owner if side is Side.OWNER else it.worker).heard.state == "missed"

    run(story())


def test_an_owner_who_gives_up_stops_the_ringing_at_the_worker() -> None:
    async def story() -> None:
        it = scene(None, Manners(answers=False))
        await it.until(CallState.DIALING_WORKER)
        await asyncio.sleep(2)
        await it.owner.ask("BYE")
        ending = await it.over()
        assert (ending.reason, ending.side) == (EndReason.CANCELLED, Side.OWNER)
        assert it.worker.heard.state == "missed"

    run(story())


def test_a_telephone_that_was_never_heard_does_not_ring_for_a_call_that_is_over() -> None:
    async def story() -> None:
        it = scene(weather=Weather(0, lost=1.0))
        await it.until(CallState.ENDED)
        given_up_at = it.internet.log[-1][0]
        it.internet.weather.lost = 0.0
        await it.over()
        assert it.internet.log[-1][0] == given_up_at
        assert it.owner.heard.state == "idle"

    run(story())


def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    async def story() -> None:
        it = scene(None, Manners(rings_for=10.0 + 0.035), ring_worker_seconds=10)
        await it.over()
        assert it.worker.heard.state in ("hung up", "missed")
        assert it.owner.heard.state == "hung up"

    run(story())


def test_a_telephone_that_cannot_use_the_others_media_ends_the_call() -> None:
    async def story() -> None:
        it = scene(Manners(refuses_other_media=488))
        ending = await it.over()
        assert (ending.reason, ending.side) == (EndReason.FAILED, Side.OWNER)
        assert it.worker.heard.state == "hung up"

    run(story())


def test_the_longest_call_ends() -> None:
    async def story() -> None:
        it = scene(longest_seconds=120)
        ending = await it.over()
        assert ending.reason is EndReason.COMPLETED
        assert it.owner.heard.state == it.worker.heard.state == "hung up"

    run(story())


@pytest.mark.parametrize("state", [CallState.DIALING_OWNER, CallState.DIALING_WORKER, CallState.BRIDGED])
def test_it_can_be_ended_in_every_state(state: CallState) -> None:
    async def story() -> None:
        it = scene()
        await it.until(state)
        await asyncio.sleep(0.2)
        it.bridge.hang_up()
        ending = await it.over()
        assert ending.reason is (EndReason.COMPLETED if state is CallState.BRIDGED else EndReason.CANCELLED)
        assert it.owner.heard.state in ("missed", "hung up")
        assert it.worker.heard.state in ("idle", "missed", "hung up")

    run(story())


def test_hold_and_its_end_are_passed_on() -> None:
    async def story() -> None:
        it = scene()
        await it.until(CallState.BRIDGED)
        await asyncio.sleep(1)
        held = await it.owner.ask("INVITE", description(OWNER, 40_000, version=2, more="a=sendonly\r\n"))
        assert b"a=recvonly" in held.body
        moved = await it.owner.ask("INVITE", description(OWNER, 41_000, version=3))
        assert moved.status == 200
        await asyncio.sleep(1)
        assert it.worker.heard.towards == [(41_000, f"c=IN IP4 {OWNER}")]
        assert it.worker.heard.requests.count("INVITE") == 3
        it.bridge.hang_up()
        await it.over()

    run(story())


def test_a_sign_of_life_stays_between_two() -> None:
    async def story() -> None:
        it = scene()
        await it.until(CallState.BRIDGED)
        await asyncio.sleep(1)
        before = len(it.worker.heard.requests)
        # The same description again: a session timer, not a proposal.
        assert (await it.owner.ask("INVITE", description(OWNER, 40_000))).status == 200
        assert (await it.owner.ask("OPTIONS")).status == 200
        assert (await it.owner.ask("REFER")).status == 405
        assert len(it.worker.heard.requests) == before
        it.bridge.hang_up()
        await it.over()

    run(story())


class _Asked:
    """A way back that keeps what is sent."""

    transport, reliable, local = "UDP", False, (SENTINEL, 5060)

    def __init__(self) -> None:
        self.sent: list[Response] = []

    def send(self, data: bytes) -> None:
        message = parse(data)
        assert isinstance(message, Response)
        self.sent.append(message)


@pytest.mark.parametrize(
    ("method", "to", "status"),
    [
        ("OPTIONS", "<sip:x@y>", 200),
        ("INVITE", "<sip:x@y>", 403),
        ("REGISTER", "<tel:+1>", 405),
        ("BYE", "<sip:x@y>;tag=guess", 481),
        ("INVITE", "<sip:x@y>;tag=guess", 481),
        ("CANCEL", "<sip:x@y>", 481),
    ],
)
def test_strangers_are_answered_and_forgotten(method: str, to: str, status: int) -> None:
    async def story() -> None:
        agent, way = Agent(Internet().host(SENTINEL, lambda message, path: None)), _Asked()
        headers = Headers([("Via", "SIP/2.0/UDP h;branch=z9hG4bKx"), ("From", "<sip:a@b>;tag=1"), ("To", to)])
        headers.add("Call-ID", "c")
        headers.add("CSeq", f"7 {method}")
        for _ in range(2):
            agent.receive(Request(method, "sip:x@y", headers=headers), way)
        agent.receive(Request("ACK", "sip:x@y", headers=headers), way)
        assert [response.status for response in way.sent] == [status, status]
        assert way.sent[0].headers.get("To") == way.sent[1].headers.get("To")
        assert ";tag=" in way.sent[0].headers.get("To")
        assert agent.busy_with == 0

    run(story())


@hypothesis_settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    lost=st.sampled_from([0.0, 0.1, 0.3]),
    doubled=st.sampled_from([0.0, 0.3]),
    late=st.sampled_from([0.0, 0.3, 0.8]),
    talks_for=st.sampled_from([None, 0.0, 3.0]),
    offerless=st.sampled_from([0, 488]),
    give_up_after=st.sampled_from([None, 0.5, 1.5, 2.2, 3.0, 20.0]),
)
# Every copy of the first INVITE was lost but the last one, sent when the call had long been given up.
@example(seed=5125, lost=0.3, doubled=0.0, late=0.0, talks_for=None, offerless=0, give_up_after=None)
# The owner's telephone heard no copy of where the worker is, and held the line for ever.
@example(seed=79, lost=0.3, doubled=0.0, late=0.0, talks_for=None, offerless=0, give_up_after=None)
# A proposal came late, after the goodbye of the same telephone.
@example(seed=3693, lost=0.3, doubled=0.3, late=0.3, talks_for=3.0, offerless=0, give_up_after=None)
def test_in_any_weather_nobody_is_left_ringing_or_waiting(
    seed: int, lost: float, doubled: float, late: float, talks_for: float | None, offerless: int,
    give_up_after: float | None,
) -> None:  # fmt: skip
    async def story() -> None:
        weather = Weather(seed, lost=lost, doubled=doubled, late=late)
        worker = Manners(offerless=offerless, talks_for=talks_for)
        it = scene(None, worker, weather=weather, longest_seconds=40)
        if give_up_after is not None:
            await asyncio.sleep(give_up_after)
            it.bridge.hang_up()
        ending = await it.over()
        assert it.states == sorted(it.states, key=list(CallState).index)
        # Who hangs up soon may do so before the other telephone knows where to speak to.
        is_patient = talks_for is None or (talks_for > 0 and not lost)
        if lost < 0.2 and give_up_after is None and is_patient:
            assert CallState.BRIDGED in it.states, ending
            assert connected(it)
        for phone in (it.owner, it.worker):
            assert phone.heard.state in ("idle", "missed", "hung up"), (phone.host, ending)
            assert lost or not phone.heard.unheard, (phone.host, ending)
            assert len(phone.transactions) == 0

    run(story())


@pytest.mark.parametrize("seed", range(40))
def test_bad_weather_delays_a_call_and_does_not_prevent_it(seed: int) -> None:
    random.seed(seed)

    async def story() -> None:
        it = scene(weather=Weather(seed, lost=0.15, doubled=0.2, late=0.2), longest_seconds=40)
        assert (await it.over()).reason is EndReason.COMPLETED
        assert connected(it)

    run(story())


class _Complaints(logging.Handler):
    """What went wrong where nobody waited for it."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


_damages = st.tuples(st.integers(0, 2**16), st.integers(0, 2**16), st.integers(0, 12), st.binary(max_size=12))


def _as_if_from_the_owner(message: Request | Response, number: int) -> bytearray:
    """One of our own requests with its ends swapped, or a response as it is."""
    said = message.encode()
    if isinstance(message, Request):
        said = said.replace(b"From:", b"X:").replace(b"To:", b"From:").replace(b"X:", b"To:")
        said = said.replace(b"CSeq: ", b"CSeq: 7%d" % number)
    return bytearray(said)


@hypothesis_settings(max_examples=150)
@given(damages=st.lists(_damages, min_size=1, max_size=8))
def test_no_damaged_message_inside_a_call_breaks_it(damages: list[tuple[int, int, int, bytes]]) -> None:
    async def story() -> None:
        it = scene()
        await it.until(CallState.BRIDGED)
        await asyncio.sleep(1)
        known = [m for _, source, m in it.internet.log if source[0] in (OWNER, SENTINEL)]
        for number, (which, at, cut, noise) in enumerate(damages):
            said = _as_if_from_the_owner(known[which % len(known)], number)
            at %= len(said) + 1
            said[at : at + cut] = noise
            with contextlib.suppress(Malformed):
                it.agent.receive(parse(bytes(said)), _Asked())
            await asyncio.sleep(0.1)
        it.bridge.hang_up()
        await it.until(CallState.ENDED)

    ears = [logging.getLogger(name) for name in ("sentinel.channels.voice", "asyncio")]
    complaints = _Complaints(logging.ERROR)
    for ear in ears:
        ear.addHandler(complaints)
    try:
        run(story())
    finally:
        for ear in ears:
            ear.removeHandler(complaints)
    assert not complaints.heard
