"""A user agent: brings requests on their way and hands what comes in to the leg it belongs to.

Whatever belongs to no leg of ours is answered without remembering it, so strangers cost no memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from sentinel.channels.voice.sip.addresses import Uri, tag_of
from sentinel.channels.voice.sip.dialog import Dialog
from sentinel.channels.voice.sip.message import Headers, Malformed, Message, Request, Response
from sentinel.channels.voice.sip.transactions import ClientTransaction, ServerTransaction, Transactions
from sentinel.channels.voice.sip.wire import Network, Path, Timing

logger = logging.getLogger(__name__)

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS"
USER_AGENT = "Sentinel"
REASONS = {
    100: "Trying",
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    481: "Call/Transaction Does Not Exist",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
}


class Ours(Protocol):
    """Whoever has a dialog: a leg."""

    @property
    def dialog(self) -> Dialog: ...

    def take(self, request: Request, transaction: ServerTransaction) -> None:
        """Answer a request inside the dialog."""

    def take_ack(self, request: Request) -> None:
        """Take the ACK of a 2xx of ours."""


class Asked:
    """A request of ours on its way. ``final`` is its last response; a 408 or 503 of our own without one."""

    def __init__(self, on_early: Callable[[Response], None] | None) -> None:
        self.final: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.transaction: ClientTransaction | None = None
        self.heard = False
        self.cancelled = False
        self.on_again: Callable[[Response], None] | None = None
        self._on_early = on_early

    def response(self, response: Response) -> None:
        """A response has come."""
        self.heard = True
        if self.final.done():
            if self.on_again is not None:
                self.on_again(response)
        elif response.status >= 200:
            self.final.set_result(response)
        elif self._on_early is not None:
            self._on_early(response)

    def gone(self, why: str) -> None:
        """No response will come."""
        if not self.final.done():
            self.final.set_result(Response(408 if why == "no response" else 503, why))


class Agent:
    """All of our SIP over one network. Must be used on its event loop only."""

    def __init__(
        self,
        network: Network,
        *,
        timing: Timing | None = None,
        outbound: Uri | None = None,
        always_outbound: bool = False,
    ) -> None:
        self.timing = timing or Timing()
        self._network = network
        self._outbound = outbound
        self._always_outbound = always_outbound
        self._transactions = Transactions(asyncio.get_running_loop(), self.timing)
        self._ours: dict[tuple[str, str], Ours] = {}
        self._work: set[asyncio.Task[Any]] = set()
        self._secret = secrets.token_bytes(16)
        self.dropped = 0

    def enter(self, leg: Ours) -> None:
        """From now on, requests in this leg's dialog are its own."""
        self._ours[leg.dialog.key] = leg

    def leave(self, leg: Ours) -> None:
        """Requests in this leg's dialog belong to nobody any more."""
        self._ours.pop(leg.dialog.key, None)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """Run something to its end in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work_done)
        return task

    def _work_done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("SIP work failed", exc_info=error)

    async def finish(self, seconds: float) -> None:
        """Wait for what runs in the background, but not for longer than this."""
        if self._work:
            await asyncio.wait(set(self._work), timeout=seconds)

    async def abandon(self) -> None:
        """Drop everything that is still going on, without another word to anybody."""
        for task in list(self._work):
            task.cancel()
        if self._work:
            await asyncio.wait(set(self._work))
        self._transactions.forget_all()

    @property
    def busy_with(self) -> int:
        """Dialogs and transactions that are remembered."""
        return len(self._ours) + len(self._transactions)

    async def path_for(self, dialog: Dialog) -> Path:
        """The way for a request; raises OSError when there is none."""
        if self._outbound is not None and (self._always_outbound or not dialog.is_established):
            return await self._network.path_to(self._outbound)
        return await self._network.path_to(dialog.hop)

    async def ask(
        self, dialog: Dialog, request: Request, *, on_early: Callable[[Response], None] | None = None
    ) -> Asked:
        """Send a request of ours; its Via and Contact are added here."""
        asked = Asked(on_early)
        try:
            path = await self.path_for(dialog)
        except OSError as error:
            asked.gone(f"no way to the exchange: {error}")
            return asked
        self.address(request, path)
        asked.transaction = self._transactions.ask(
            request, path, on_response=asked.response, on_gone=asked.gone
        )
        return asked

    def ask_again(self, path: Path, request: Request) -> Asked:
        """Send a request that has its Via already: a CANCEL, which repeats its INVITE's."""
        asked = Asked(None)
        asked.transaction = self._transactions.ask(
            request, path, on_response=asked.response, on_gone=asked.gone
        )
        return asked

    def address(self, request: Request, path: Path) -> None:
        """Add where answers and later requests shall go."""
        branch = "z9hG4bK" + secrets.token_hex(12)
        via = ("Via", f"SIP/2.0/{path.transport} {_shown(path)};branch={branch};rport")
        request.headers = Headers([via, *request.headers])
        if request.method in ("INVITE", "OPTIONS"):
            self.contact(request, path)
            request.headers.add("Allow", ALLOW)
            request.headers.add("Accept", "application/sdp")
        if request.method != "ACK":
            request.headers.add("User-Agent", USER_AGENT)

    def contact(self, message: Message, path: Path) -> None:
        """Add where we can be reached inside the dialog."""
        transport = ";transport=tcp" if path.transport == "TCP" else ""
        message.headers.add("Contact", f"<sip:sentinel@{_shown(path)}{transport}>")

    def receive(self, message: Message, path: Path) -> None:
        """Take what came in; never raises for anything a peer can send."""
        try:
            if isinstance(message, Response):
                self._transactions.take_response(message)
            elif not self._transactions.absorbs(message):
                self._take(message, path)
        except Malformed:
            self.dropped += 1
        except OSError as error:
            logger.warning("an answer could not be sent: %s", error)

    def _take(self, request: Request, path: Path) -> None:
        leg = self._ours.get((request.call_id, tag_of(request.headers.get("To"))))
        if leg is not None and not leg.dialog.is_of(request):
            leg = None
        if request.method == "ACK":
            if leg is not None:
                leg.take_ack(request)
        elif leg is None or request.method == "CANCEL":
            path.send(self._stranger(request, leg).encode())
        else:
            transaction = self._transactions.serve(request, path, on_gone=self._unheard)
            leg.take(request, transaction)

    def _unheard(self, why: str) -> None:
        logger.warning("a telephone did not acknowledge our answer: %s", why)

    def _stranger(self, request: Request, leg: Ours | None) -> Response:
        """The answer to a request outside our dialogs; the same one whenever it is repeated."""
        if request.method == "OPTIONS" and not tag_of(request.headers.get("To")):
            status = 200
        elif request.method == "CANCEL":
            # In a dialog: our answer to the INVITE is on its way in any case, so nothing is undone.
            status = 200 if leg is not None else 481
        elif tag_of(request.headers.get("To")):
            status = 481
        else:
            status = 403 if request.method == "INVITE" else 405
        response = respond(request, status)
        to = request.headers.get("To")
        if not tag_of(to):
            seed = f"{request.call_id} {request.headers.get('From')} {request.headers.get('Via')}"
            tag = hashlib.blake2b(seed.encode(), key=self._secret, digest_size=8).hexdigest()
            response.headers.put("To", f"{to};tag={tag}")
        return response


def _shown(path: Path) -> str:
    host, port = path.local
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def respond(request: Request, status: int, *, reason: str = "", body: bytes = b"") -> Response:
    """A response to a request, with everything it must repeat."""
    headers = Headers([("Via", value) for value in request.headers.all("Via")])
    if status < 300:
        for value in request.headers.all("Record-Route"):
            headers.add("Record-Route", value)
    for name in ("From", "To", "Call-ID", "CSeq"):
        headers.add(name, request.headers.get(name))
    if status in (200, 405):
        headers.add("Allow", ALLOW)
    if status == 415:
        headers.add("Accept", "application/sdp")
    headers.add("User-Agent", USER_AGENT)
    if body:
        headers.add("Content-Type", "application/sdp")
    return Response(status, reason or REASONS.get(status, "Response"), headers=headers, body=body)
