"""One telephone of a call: our INVITE to it, the dialog that follows, and letting go of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping

from sentinel.channels.voice.sip.addresses import Uri, quoted, tag_of
from sentinel.channels.voice.sip.agent import Agent, Asked
from sentinel.channels.voice.sip.authentication import Authentication
from sentinel.channels.voice.sip.dialog import Dialog
from sentinel.channels.voice.sip.digest import Credentials
from sentinel.channels.voice.sip.incoming import Incoming, Refused
from sentinel.channels.voice.sip.message import Malformed, Request, Response
from sentinel.channels.voice.sip.sdp import CONTENT_TYPE, Description, Voice, body_of
from sentinel.channels.voice.sip.transactions import InviteClient, ServerTransaction
from sentinel.channels.voice.sip.wire import Path

#: How often a re-INVITE that crossed another one is tried again (RFC 3261, section 14.1).
_TRIES_AFTER_CROSSING = 7
#: Ringing, and session progress: the tone that some exchanges play instead. A forwarded or queued call (181,
#: 182) rings nowhere yet.
_RINGS = frozenset({180, 183})
#: Decides what to say to another end that proposes other media, or wants a proposal (None).
OnOffer = Callable[["Leg", Description | None], Awaitable[bytes]]
OnAnswer = Callable[["Leg", Description], None]


class Leg:
    """A telephone that we call.

    ``rang``: something is under way there. ``gone`` is done once the other end has hung up, or is known to
    be dead.
    """

    def __init__(
        self,
        agent: Agent,
        target: Uri,
        *,
        caller: Uri,
        shown_as: str = "",
        credentials: Credentials | None = None,
        headers: Mapping[str, str] | None = None,
        on_ringing: Callable[[], None] = lambda: None,
        on_offer: OnOffer | None = None,
        on_answer: OnAnswer | None = None,
    ) -> None:
        name = f"{quoted(shown_as)} " if shown_as else ""
        self.dialog = Dialog(
            call_id=secrets.token_hex(16),
            local=f"{name}<{caller}>;tag={secrets.token_hex(8)}",
            remote=f"<{target}>",
            target=target,
        )
        self.voice = Voice(secrets.randbelow(2**53), caller.host.strip("[]"))
        self.theirs: Description | None = None
        self.rang = False
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._has_told = False
        self._is_silent = False
        self._agent = agent
        self._authentication = Authentication(credentials)
        self._headers = dict(headers or {})
        self._on_ringing = on_ringing
        self._on_offer = on_offer
        self._on_answer = on_answer
        self._inviting: asyncio.Task[Response] | None = None
        self._asked: Asked | None = None
        self._accepted: Response | None = None
        # By CSeq: a 2xx may be repeated while the next INVITE is already on its way.
        self._acks: dict[int, tuple[Path, bytes]] = {}
        self.incoming = Incoming(agent, self)
        self._letting_go = False

    # --- our own requests

    async def invite(self, body: bytes) -> Description | None:
        """Let it ring until it answers, with an offer or without. Raises Refused; may then be tried again."""
        self._agent.enter(self)
        self._inviting = self._agent.spawn(self._invite(body))
        response = await asyncio.shield(self._inviting)
        if response.status >= 300:
            raise Refused(response, rang=self.rang)
        try:
            self.theirs = body_of(response.headers.get("Content-Type"), response.body)
        except Malformed:
            raise Refused(Response(488, "an answer that cannot be read"), rang=True) from None
        return self.theirs

    async def _invite(self, body: bytes) -> Response:
        response = await self._negotiate(body)
        if response.status < 300:
            try:
                self.dialog.answered(response)
            except Malformed:
                return Response(500, "an answer that cannot be read")
        else:
            self._agent.leave(self)
        return response

    async def _negotiate(self, body: bytes) -> Response:
        """Send an INVITE, again with credentials where they are asked for, and take its final response."""
        answered = self._authentication.begin()
        self._accepted = None
        while True:
            request = self.dialog.request("INVITE")
            for name, value in self._headers.items():
                request.headers.add(name, value)
            if body:
                request.headers.add("Content-Type", CONTENT_TYPE)
                request.body = body
            self._authentication.sign(request)
            self._asked = await self._agent.ask(self.dialog, request, on_early=self._early)
            self._asked.on_again = self._answered_again
            if self._letting_go:
                self._cancel()
            response = await self._asked.final
            if response.status < 300:
                self._accepted = response
                return response
            if self._letting_go or not self._authentication.accepts(response, answered):
                return response

    async def reinvite(self, body: bytes) -> Description | None:
        """Propose other media inside the call; waits and repeats when two proposals cross. Raises Refused.

        The caller acknowledges.
        """
        for attempt in range(_TRIES_AFTER_CROSSING):
            crossing = self.incoming.is_busy
            response = (
                Response(491, "our own answer is on its way") if crossing else await self._negotiate(body)
            )
            if response.status < 300:
                return self._understood(response)
            if response.status in (408, 481):
                # Who did not answer may all the same be holding the line: it is told goodbye.
                self._is_silent = response.status == 408
                self.is_gone(f"{response.status} {response.reason}")
            # A telephone that is still busy with our last INVITE says 500 and when to come back.
            later = response.status == 491 or (response.status == 500 and response.headers.get("Retry-After"))
            if not later or attempt == _TRIES_AFTER_CROSSING - 1 or self.gone.done():
                break
            # We began this dialog, so the longer of the two waits is ours.
            await asyncio.sleep(random.uniform(2.1, 4.0))  # noqa: S311  (spreads, hides nothing)
        raise Refused(response, rang=True)

    def _understood(self, response: Response) -> Description | None:
        self.dialog.moved(response.headers)
        try:
            theirs = body_of(response.headers.get("Content-Type"), response.body)
        except Malformed:
            raise Refused(Response(488, "an answer that cannot be read"), rang=True) from None
        self.theirs = theirs or self.theirs
        return theirs

    async def acknowledge(self, body: bytes = b"") -> None:
        """Send the ACK of the last 2xx, and again whenever that 2xx is repeated."""
        if self._accepted is None or not self._owes_ack:
            return
        number = self._accepted.cseq[0]
        ack = self.dialog.request("ACK", cseq=number)
        if body:
            ack.headers.add("Content-Type", CONTENT_TYPE)
            ack.body = body
        self._authentication.repeat(ack)
        with contextlib.suppress(OSError):
            path = await self._agent.path_for(self.dialog)
            self._agent.address(ack, path)
            self._acks[number] = path, ack.encode()
            path.send(self._acks[number][1])

    def _early(self, response: Response) -> None:
        if self._letting_go:
            self._cancel()
        elif response.status > 100 and not self.dialog.is_established:
            self.rang = True
            if response.status in _RINGS and not self._has_told:
                self._has_told = True
                self._on_ringing()

    def _answered_again(self, response: Response) -> None:
        if not 200 <= response.status < 300 or not self.dialog.is_established:
            return
        if tag_of(response.headers.get("To")) != tag_of(self.dialog.remote):
            self._agent.spawn(self._hang_up_fork(response))
        elif (known := self._acks.get(response.cseq[0])) is not None:
            path, data = known
            with contextlib.suppress(OSError):
                path.send(data)

    async def _hang_up_fork(self, response: Response) -> None:
        """A second telephone of the same number answered too: one is enough."""
        first = self.dialog
        fork = Dialog(first.call_id, first.local, first.remote, first.target, cseq=response.cseq[0])
        with contextlib.suppress(Malformed, OSError):
            fork.answered(response)
            ack = fork.request("ACK", cseq=response.cseq[0])
            path = await self._agent.path_for(fork)
            self._agent.address(ack, path)
            path.send(ack.encode())
            await (await self._agent.ask(fork, fork.request("BYE"))).final

    async def let_go(self) -> None:
        """End this leg in whatever state it is: CANCEL while it rings, BYE once it has answered."""
        if self._letting_go:
            return
        self._letting_go = True
        if self._inviting is not None:
            self._cancel()
            await asyncio.shield(self._inviting)
        if self.dialog.is_established and (self._is_silent or not self.gone.done()):
            await self._settle()
            await self._acknowledge_in_silence()
            await self._bye()
        self.is_gone("hung up by us")
        self._agent.leave(self)

    def _cancel(self) -> None:
        """Send a CANCEL, unless it is too early (RFC 3261, section 9.1) or too late."""
        asked = self._asked
        if asked is None or asked.final.done() or not isinstance(asked.transaction, InviteClient):
            return
        invite = asked.transaction
        if not asked.heard:
            # Nobody may be rung for a call that is over; whoever was rung already is heard, and hung up.
            invite.fall_silent(self._agent.timing.patience, "no response")
        if not asked.heard or asked.cancelled:
            return
        asked.cancelled = True
        cancel = Request("CANCEL", invite.request.uri)
        for name, value in invite.request.headers:
            if name in ("Via", "Max-Forwards", "Route", "From", "To", "Call-ID"):
                cancel.headers.add(name, value)
        cancel.headers.add("CSeq", f"{invite.request.cseq[0]} CANCEL")
        self._agent.ask_again(invite.path, cancel)
        invite.expire_after(self._agent.timing.patience, "no response")

    async def _settle(self) -> None:
        """Give a re-INVITE of ours the time to come to its end, so that nothing is left half-said."""
        if self._asked is not None and not self._asked.final.done():
            await asyncio.wait([self._asked.final], timeout=4 * self._agent.timing.t1)
            await asyncio.sleep(0)

    async def _acknowledge_in_silence(self) -> None:
        if self._accepted is None or not self._owes_ack:
            return
        try:
            offer = body_of(self._accepted.headers.get("Content-Type"), self._accepted.body)
        except Malformed:
            offer = None
        await self.acknowledge(self.voice.hold_answer(offer) if offer and not self.voice.last else b"")

    async def _bye(self) -> None:
        answered = self._authentication.begin()
        while True:
            request = self.dialog.request("BYE")
            self._authentication.sign(request)
            response = await (await self._agent.ask(self.dialog, request)).final
            if not self._authentication.accepts(response, answered):
                return

    @property
    def was_heard(self) -> bool:
        """Whether anything at all has come back on our last INVITE."""
        return self._asked is not None and self._asked.heard

    # --- the other end's requests

    @property
    def is_negotiating(self) -> bool:
        """Whether an INVITE of ours has no final answer yet, or its answer no ACK."""
        waiting = self._asked is not None and not self._asked.final.done()
        return waiting or self._owes_ack

    @property
    def _owes_ack(self) -> bool:
        return self._accepted is not None and self._accepted.cseq[0] not in self._acks

    def take(self, request: Request, transaction: ServerTransaction) -> None:
        """Answer a request inside the dialog."""
        self.incoming.take(request, transaction)

    def take_ack(self, request: Request) -> None:
        """Take the ACK of a 2xx of ours."""
        self.incoming.take_ack(request)

    def is_gone(self, why: str) -> None:
        """The other end has hung up, or is known to be dead."""
        if not self.gone.done():
            self.gone.set_result(why)

    async def answer_to(self, offer: Description | None) -> bytes:
        """What to say to an offer, or to a request for one; raises Refused."""
        if self._on_offer is not None:
            return await self._on_offer(self, offer)
        return self.voice.hold_answer(offer) if offer else self.voice.last or self.voice.hold_offer()

    def answered_offer(self, answer: Description) -> None:
        """The other end has answered an offer it had asked for."""
        if self._on_answer is not None:
            self._on_answer(self, answer)
