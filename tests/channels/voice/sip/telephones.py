"""Telephones of the small internet: they ring, answer, talk and hang up as a test wants, by the book."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from sentinel.channels.voice.sip.addresses import Address
from sentinel.channels.voice.sip.agent import respond
from sentinel.channels.voice.sip.message import Headers, Malformed, Message, Request, Response
from sentinel.channels.voice.sip.sdp import Description, body_of
from sentinel.channels.voice.sip.transactions import InviteServer, State, Transactions
from sentinel.channels.voice.sip.wire import Path, Timing
from tests.channels.voice.sip.world import Internet


def description(host: str, port: int, *, version: int = 1, more: str = "", codecs: str = "8 0") -> bytes:
    """Audio at one place."""
    return (
        f"v=0\r\no=phone 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {codecs}\r\na=rtpmap:8 PCMA/8000\r\n{more}"
    ).encode()


@dataclass
class Manners:
    """How a telephone behaves. ``refuses`` is its answer to an INVITE, ``offerless`` to one without offer."""

    rings_for: float = 1.0
    refuses: int = 0
    offerless: int = 0
    refuses_other_media: int = 0
    talks_for: float | None = None
    answers: bool = True


@dataclass
class Heard:
    """What happened at a telephone. ``unheard``: nobody ever acknowledged its answer, so it hung up."""

    state: str = "idle"
    unheard: bool = False
    towards: list[tuple[int, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Telephone:
    """One telephone at a host of its own."""

    def __init__(self, internet: Internet, host: str, manners: Manners | None = None) -> None:
        self.host = host
        self.media = (40_000, f"c=IN IP4 {host}")
        self.manners = manners or Manners()
        self.heard = Heard()
        self.transactions = Transactions(asyncio.get_running_loop(), Timing())
        self._network = internet.host(host, self.receive)
        self._invite: InviteServer | None = None
        self._offered = False
        self._dialog: Request | None = None
        self._tag = f"t{host.replace('.', '')}"
        self._work: set[asyncio.Task[None]] = set()
        self._cseq = 100

    @property
    def address(self) -> str:
        return f"sip:{self.host}"

    def receive(self, message: Message, path: Path) -> None:
        """Take a message, absorbing repeats as every telephone must."""
        if isinstance(message, Response):
            self.transactions.take_response(message)
            return
        if self.transactions.absorbs(message):
            return
        if message.method == "ACK":
            self._acknowledged(message)
            return
        self.heard.requests.append(message.method)
        served = self.transactions.serve(message, path, on_gone=self._nobody_hears)
        if isinstance(served, InviteServer):
            self._spawn(self._invited(message, served))
        elif message.method == "CANCEL":
            served.respond(self._say(message, 200))
            self._cancelled()
        elif message.method == "BYE":
            served.respond(self._say(message, 200))
            self.heard.state = "hung up"
        else:
            served.respond(self._say(message, 200))

    def _nobody_hears(self, why: str) -> None:
        """An answer without its ACK ends the session with a BYE (RFC 3261, section 13.3.1.4)."""
        if self.heard.state == "held":
            self.heard.unheard = True
            self._spawn(self._hang_up_after(0))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _say(self, request: Request, status: int, body: bytes = b"") -> Response:
        response = respond(request, status, body=body)
        to = response.headers.get("To")
        if "tag=" not in to:
            response.headers.put("To", f"{to};tag={self._tag}")
        response.headers.add("Contact", f"<sip:{self.host};transport=UDP>")
        return response

    async def _invited(self, request: Request, served: InviteServer) -> None:
        manners, offer = self.manners, body_of(request.headers.get("Content-Type"), request.body)
        if self._dialog is not None and self.heard.state in ("held", "talking"):
            self._proposed(request, served, offer)
            return
        if ";tag=" in request.headers.get("To"):  # about a call that is over here
            served.respond(self._say(request, 481))
            return
        refusal = manners.refuses or (0 if offer else manners.offerless)
        if refusal:
            served.respond(self._say(request, refusal))
            return
        self._invite, self.heard.state = served, "ringing"
        served.respond(self._say(request, 180))
        await asyncio.sleep(manners.rings_for)
        if self.heard.state == "ringing" and manners.answers:
            self._dialog, self.heard.state = request, "held"
            self._answer(request, served, offer)

    def _answer(self, request: Request, served: InviteServer, offer: Description | None) -> None:
        self._invite, self._offered = served, offer is None
        if offer is not None:
            self._learns(offer)
        body = description(self.host, self.media[0], more="" if offer is None else _mirrored(offer))
        served.respond(self._say(request, 200, body))

    def _proposed(self, request: Request, served: InviteServer, offer: Description | None) -> None:
        if self._invite is not None and self._invite.state is State.ACCEPTED:
            served.respond(self._say(request, 491))
        elif self.manners.refuses_other_media:
            served.respond(self._say(request, self.manners.refuses_other_media))
        else:
            self._answer(request, served, offer)

    def _acknowledged(self, ack: Request) -> None:
        if self._invite is None or self._invite.request.cseq[0] != ack.cseq[0]:
            return
        again = self._invite.state is not State.ACCEPTED
        self._invite.acknowledged()
        if self._offered and not again and self.heard.state != "hung up":
            answer = body_of(ack.headers.get("Content-Type"), ack.body)
            if answer is None:
                raise Malformed("an ACK without the answer to an offer")
            self._learns(answer)

    def _learns(self, theirs: Description) -> None:
        self.heard.towards = theirs.places()
        if self.heard.towards[0][1] != "c=IN IP4 0.0.0.0":
            if self.heard.state != "talking" and self.manners.talks_for is not None:
                self._spawn(self._hang_up_after(self.manners.talks_for))
            self.heard.state = "talking"

    def _cancelled(self) -> None:
        if self._invite is not None and self.heard.state == "ringing":
            self.heard.state = "missed"
            self._invite.respond(self._say(self._invite.request, 487))

    async def _hang_up_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.ask("BYE")
        self.heard.state = "hung up"

    async def ask(self, method: str, body: bytes = b"") -> Response:
        """Send a request of its own inside the dialog, and take its final answer."""
        assert self._dialog is not None
        invite = self._dialog
        contact = Address.parse(invite.headers.get("Contact")).uri
        path = await self._network.path_to(contact)
        self._cseq += 1
        to = invite.headers.get("To")
        headers = Headers([("Via", f"SIP/2.0/UDP {self.host}:5060;branch=z9hG4bK{self.host}{self._cseq}")])
        headers.add("From", f"{to};tag={self._tag}")
        headers.add("To", invite.headers.get("From"))
        headers.add("Call-ID", invite.call_id)
        headers.add("CSeq", f"{self._cseq} {method}")
        if body:
            headers.add("Content-Type", "application/sdp")
        final: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def took(response: Response) -> None:
            if response.status >= 200 and not final.done():
                final.set_result(response)

        def gone(why: str) -> None:
            final.set_result(Response(408, why))

        request = Request(method, str(contact), headers=headers, body=body)
        self.transactions.ask(request, path, on_response=took, on_gone=gone)
        response = await final
        if method == "INVITE" and response.status < 300:
            headers = headers.copy()
            headers.put("Via", f"SIP/2.0/UDP {self.host}:5060;branch=z9hG4bKack{self.host}{self._cseq}")
            headers.put("CSeq", f"{self._cseq} ACK")
            headers.drop("Content-Type")
            path.send(Request("ACK", str(contact), headers=headers).encode())
        return response


def _mirrored(offer: Description) -> str:
    lines = {line for medium in offer.flattened() for line in medium.lines}
    for theirs, ours in (("a=inactive", "a=inactive"), ("a=sendonly", "a=recvonly")):
        if theirs in lines:
            return ours + "\r\n"
    return ""
