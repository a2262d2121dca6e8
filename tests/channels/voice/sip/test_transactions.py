"""The timers of RFC 3261, to the millisecond, on a clock that only moves when told."""

from __future__ import annotations

import pytest

from sentinel.channels.voice.sip.message import Headers, Request, Response
from sentinel.channels.voice.sip.transactions import InviteClient, InviteServer, Transactions
from sentinel.channels.voice.sip.wire import Timing
from tests.channels.voice.sip.world import Clock, Wire


class Bench:
    """One pile of transactions with what they told their users."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock, reliable=reliable)
        self.pile = Transactions(self.clock, Timing())
        self.responses: list[int] = []
        self.gone: list[str] = []

    def ask(self, method: str) -> Request:
        asked = request(method)
        self.pile.ask(
            asked, self.wire, on_response=lambda r: self.responses.append(r.status), on_gone=self.gone.append
        )
        return asked

    def answers(self, asked: Request, status: int) -> None:
        self.pile.take_response(response(asked, status))

    def serve(self, method: str) -> tuple[Request, InviteServer]:
        asked = request(method)
        assert not self.pile.absorbs(asked)
        served = self.pile.serve(asked, self.wire, on_gone=self.gone.append)
        return asked, served  # type: ignore[return-value]

    def statuses(self) -> list[int]:
        return [m.status for _, m in self.wire.sent if isinstance(m, Response)]

    def methods(self) -> list[str]:
        return [m.method for _, m in self.wire.sent if isinstance(m, Request)]


def request(method: str, branch: str = "z9hG4bK1") -> Request:
    headers = Headers([("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch}"), ("Max-Forwards", "70")])
    for name, value in (
        ("From", "<sip:a@b>;tag=1"),
        ("To", "<sip:c@d>"),
        ("Call-ID", "x"),
        ("CSeq", f"1 {method}"),
    ):
        headers.add(name, value)
    headers.add("Route", "<sip:proxy;lr>")
    return Request(method, "sip:c@d", headers=headers)


def response(asked: Request, status: int) -> Response:
    headers = Headers([(name, asked.headers.get(name)) for name in ("Via", "From", "Call-ID", "CSeq")])
    headers.add("To", "<sip:c@d>;tag=2")
    return Response(status, "", headers=headers)


def test_an_invite_nobody_answers_is_repeated_ever_slower_and_given_up_after_32_s() -> None:
    bench = Bench()
    bench.ask("INVITE")
    bench.clock.advance(60)
    assert bench.wire.times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.gone == ["no response"]
    assert (len(bench.pile), bench.clock.pending) == (0, 0)


def test_other_requests_are_repeated_at_least_every_four_seconds() -> None:
    bench = Bench()
    bench.ask("BYE")
    bench.clock.advance(60)
    assert bench.wire.times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.gone == ["no response"]


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_nothing_is_repeated_on_a_reliable_way(method: str) -> None:
    bench = Bench(reliable=True)
    bench.ask(method)
    bench.clock.advance(60)
    assert bench.wire.times == [0]
    assert bench.gone == ["no response"]


def test_a_telephone_may_ring_for_long() -> None:
    bench = Bench()
    asked = bench.ask("INVITE")
    bench.clock.advance(1)
    bench.answers(asked, 180)
    bench.clock.advance(300)
    assert len(bench.wire.sent) == 2
    assert bench.gone == []
    bench.answers(asked, 200)
    assert bench.responses == [180, 200]


def test_after_a_cancel_it_rings_no_longer_than_32_s() -> None:
    bench = Bench()
    asked = bench.ask("INVITE")
    bench.answers(asked, 180)
    invite = next(iter(bench.pile._clients.values()))
    assert isinstance(invite, InviteClient)
    invite.expire_after(32, "no response")
    bench.answers(asked, 180)
    bench.clock.advance(31.9)
    assert bench.gone == []
    bench.clock.advance(0.2)
    assert bench.gone == ["no response"]


def test_a_refusal_is_acknowledged_in_the_same_transaction_and_again_when_repeated() -> None:
    bench = Bench()
    asked = bench.ask("INVITE")
    for _ in range(3):
        bench.answers(asked, 486)
    assert bench.methods() == ["INVITE", "ACK", "ACK", "ACK"]
    ack = bench.wire.sent[1][1]
    assert isinstance(ack, Request)
    assert ack.headers.all("Via") == asked.headers.all("Via")
    assert ack.headers.get("Route") == "<sip:proxy;lr>"
    assert ack.headers.get("To") == "<sip:c@d>;tag=2"
    assert ack.cseq == (1, "ACK")
    assert bench.responses == [486]
    bench.clock.advance(32.1)
    assert not bench.pile.take_response(response(asked, 486))
    assert bench.gone == []


def test_every_copy_of_a_2xx_is_handed_up_and_none_is_acknowledged_here() -> None:
    bench = Bench()
    asked = bench.ask("INVITE")
    for _ in range(3):
        bench.answers(asked, 200)
    assert bench.responses == [200, 200, 200]
    assert bench.methods() == ["INVITE"]
    bench.clock.advance(32.1)
    assert len(bench.pile) == 0


def test_a_broken_way_is_told_at_once() -> None:
    bench = Bench()
    bench.wire.broken = True
    bench.ask("BYE")
    assert bench.gone == ["cannot send: broken"]
    assert len(bench.pile) == 0


def test_a_final_answer_is_repeated_until_it_is_acknowledged() -> None:
    bench = Bench()
    asked, served = bench.serve("INVITE")
    served.respond(response(asked, 200))
    bench.clock.advance(8)
    assert bench.wire.times == [0, 0.5, 1.5, 3.5, 7.5]
    served.acknowledged()
    bench.clock.advance(60)
    assert len(bench.wire.sent) == 5
    assert (len(bench.pile), bench.gone) == (0, [])


@pytest.mark.parametrize("reliable", [True, False])
def test_a_2xx_is_repeated_even_on_reliable_ways_and_missed_in_the_end(reliable: bool) -> None:
    bench = Bench(reliable=reliable)
    asked, served = bench.serve("INVITE")
    served.respond(response(asked, 200))
    bench.clock.advance(60)
    assert len(bench.wire.sent) == 11
    assert bench.gone == ["no ACK came"]


def test_the_ack_of_a_refusal_is_absorbed_and_that_of_a_2xx_is_not() -> None:
    for status, absorbed in ((488, True), (200, False)):
        bench = Bench()
        asked, served = bench.serve("INVITE")
        served.respond(response(asked, status))
        assert bench.pile.absorbs(request("ACK")) is absorbed


def test_a_repeated_request_gets_the_same_answer_and_is_handed_up_once() -> None:
    bench = Bench()
    asked, served = bench.serve("BYE")
    assert bench.pile.absorbs(request("BYE"))
    assert bench.statuses() == []
    served.respond(response(asked, 200))
    served.respond(response(asked, 500))
    assert bench.pile.absorbs(request("BYE"))
    assert bench.statuses() == [200, 200]
    assert not bench.pile.absorbs(request("BYE", branch="z9hG4bK2"))
    bench.clock.advance(32.1)
    assert not bench.pile.absorbs(request("BYE"))


def test_answers_to_nothing_are_noticed() -> None:
    bench = Bench()
    asked = bench.ask("BYE")
    assert not bench.pile.take_response(response(request("INVITE"), 200))
    assert not bench.pile.take_response(response(request("BYE", branch="z9hG4bKother"), 200))
    assert bench.pile.take_response(response(asked, 200))
    assert bench.responses == [200]
