"""What the other end of a leg asks of us: hanging up, other media, a sign of life."""

from __future__ import annotations

from typing import Protocol

from sentinel.channels.voice.sip.agent import Agent, respond
from sentinel.channels.voice.sip.dialog import Dialog
from sentinel.channels.voice.sip.message import Malformed, Request, Response
from sentinel.channels.voice.sip.sdp import Description, body_of
from sentinel.channels.voice.sip.transactions import InviteServer, ServerTransaction, State

_OPEN = (State.STARTED, State.PROCEEDING, State.ACCEPTED)


class Refused(Exception):
    """A telephone did not take a call, or a proposal. ``rang``: it rang before."""

    def __init__(self, response: Response, *, rang: bool = False) -> None:
        super().__init__(f"{response.status} {response.reason}".strip())
        self.response = response
        self.rang = rang

    @property
    def status(self) -> int:
        return self.response.status


class Spoken(Protocol):
    """The leg that is spoken to."""

    theirs: Description | None

    @property
    def dialog(self) -> Dialog: ...

    @property
    def is_negotiating(self) -> bool: ...

    def is_gone(self, why: str) -> None: ...

    async def answer_to(self, offer: Description | None) -> bytes: ...

    def answered_offer(self, answer: Description) -> None: ...


class Incoming:
    """Answers the requests inside one dialog, one INVITE at a time."""

    def __init__(self, agent: Agent, leg: Spoken) -> None:
        self._agent = agent
        self._leg = leg
        self._invite: InviteServer | None = None
        self._wants_answer = False

    @property
    def is_busy(self) -> bool:
        """Whether an INVITE of the other end is not acknowledged yet: ours would cross it."""
        return self._invite is not None and self._invite.state in _OPEN

    def take(self, request: Request, transaction: ServerTransaction) -> None:
        """Answer a request; raises Malformed."""
        number = request.cseq[0]
        if number <= self._leg.dialog.their_cseq:
            transaction.respond(respond(request, 500, reason="CSeq goes backwards"))
            return
        self._leg.dialog.their_cseq = number
        if request.headers.get("Require"):
            response = respond(request, 420)
            response.headers.add("Unsupported", request.headers.get("Require"))
            transaction.respond(response)
        elif request.method == "BYE":
            transaction.respond(respond(request, 200))
            self._leg.is_gone("hung up")
        elif isinstance(transaction, InviteServer):
            self._take_invite(request, transaction)
        else:
            transaction.respond(respond(request, 200 if request.method == "OPTIONS" else 405))

    def _take_invite(self, request: Request, transaction: InviteServer) -> None:
        if self._leg.is_negotiating or self.is_busy:
            transaction.respond(respond(request, 491))
            return
        try:
            offer = body_of(request.headers.get("Content-Type"), request.body)
        except Malformed:
            transaction.respond(respond(request, 415))
            return
        transaction.respond(respond(request, 100))
        self._leg.dialog.moved(request.headers)
        self._invite, self._wants_answer = transaction, offer is None
        self._agent.spawn(self._answer(request, transaction, offer))

    async def _answer(self, request: Request, transaction: InviteServer, offer: Description | None) -> None:
        try:
            body = await self._leg.answer_to(offer)
        except Refused as refused:
            transaction.respond(respond(request, refused.status if refused.status in (488, 491) else 500))
            return
        response = respond(request, 200, body=body)
        self._agent.contact(response, transaction.path)
        transaction.respond(response)
        self._leg.theirs = offer or self._leg.theirs

    def take_ack(self, request: Request) -> None:
        """Take the ACK of a 2xx of ours, with the answer to our offer where there was one."""
        if self._invite is None or self._invite.state is not State.ACCEPTED:
            return
        if request.cseq[0] != self._invite.request.cseq[0]:
            return
        self._invite.acknowledged()
        if self._wants_answer:
            answer = body_of(request.headers.get("Content-Type"), request.body)
            if answer is not None:
                self._leg.answered_offer(answer)
