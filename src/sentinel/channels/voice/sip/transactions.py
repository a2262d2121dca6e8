"""The four transactions of RFC 3261, section 17, with the corrections of RFC 6026.

They repeat on unreliable ways what may have got lost, and absorb what arrives twice. All time comes from a
scheduler and all bytes leave through a path, so that tests decide what time it is and what gets lost.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from sentinel.channels.voice.sip.addresses import first_via
from sentinel.channels.voice.sip.message import Headers, Malformed, Request, Response
from sentinel.channels.voice.sip.wire import Path, Scheduler, Timer, Timing

OnResponse = Callable[[Response], None]
OnGone = Callable[[str], None]
Key = tuple[object, ...]


class State(Enum):
    """Where a transaction stands. ``STARTED`` is calling or trying, as the RFC names them."""

    STARTED = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class _Transaction:
    def __init__(self, request: Request, path: Path, scheduler: Scheduler, timing: Timing) -> None:
        self.request = request
        self.path = path
        self.state = State.STARTED
        self._scheduler = scheduler
        self._timing = timing
        self._repeat: Timer | None = None
        self._end: Timer | None = None
        self._forget: Callable[[], None] = lambda: None

    def _repeat_after(self, delay: float, *, longest: float, data: bytes) -> None:
        """Send again after ``delay``, then after twice that, and so on."""
        self._repeat = self._scheduler.call_later(delay, self._again, delay, longest, data)

    def _again(self, delay: float, longest: float, data: bytes) -> None:
        if self._send(data):
            self._repeat_after(min(2 * delay, longest), longest=longest, data=data)

    def _send(self, data: bytes) -> bool:
        try:
            self.path.send(data)
        except OSError as error:
            self.finish(f"cannot send: {error}")
            return False
        return True

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _end_after(self, delay: float, why: str = "") -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self._scheduler.call_later(delay, self.finish, why)

    def finish(self, why: str = "") -> None:
        """End it; ``why`` is told to whoever waits."""
        if self.state is State.TERMINATED:
            return
        self.state = State.TERMINATED
        self._stop_repeating()
        if self._end is not None:
            self._end.cancel()
        self._forget()
        if why:
            self._failed(why)

    def _failed(self, why: str) -> None:
        raise NotImplementedError


class ClientTransaction(_Transaction):
    """One request of ours. ``on_gone`` hears why no final response will come; nothing else follows it."""

    def __init__(
        self,
        request: Request,
        path: Path,
        scheduler: Scheduler,
        timing: Timing,
        *,
        on_response: OnResponse,
        on_gone: OnGone,
    ) -> None:
        super().__init__(request, path, scheduler, timing)
        self._on_response = on_response
        self._on_gone = on_gone

    def start(self) -> None:
        """Send the request."""
        data = self.request.encode()
        if self._send(data):
            if not self.path.reliable:
                longest = self._timing.patience if self.request.method == "INVITE" else self._timing.t2
                self._repeat_after(self._timing.t1, longest=longest, data=data)
            self._end_after(self._timing.patience, "no response")

    def receive(self, response: Response) -> None:
        """Take a response that belongs to this transaction."""
        raise NotImplementedError

    def _failed(self, why: str) -> None:
        self._on_gone(why)


class InviteClient(ClientTransaction):
    """An INVITE: acknowledges refusals itself, and hands every 2xx up, repeats included."""

    _ack: bytes | None = None

    def receive(self, response: Response) -> None:
        if response.status < 200:
            if self.state in (State.STARTED, State.PROCEEDING):
                self._proceed()
                self._on_response(response)
        elif response.status < 300:
            self._accept(response)
        elif self.state in (State.STARTED, State.PROCEEDING):
            self._refused(response)
        elif self.state is State.COMPLETED and self._ack is not None:
            self._send(self._ack)

    def expire_after(self, seconds: float, why: str) -> None:
        """Give up unless a final response comes in time: what follows a CANCEL."""
        if self.state in (State.STARTED, State.PROCEEDING):
            self._end_after(seconds, why)

    def fall_silent(self, seconds: float, why: str) -> None:
        """Send it no more, and only listen: a copy that arrived may still be answered."""
        if self.state is State.STARTED:
            self._stop_repeating()
            self._end_after(seconds, why)

    def _proceed(self) -> None:
        self._stop_repeating()
        if self.state is State.STARTED and self._end is not None:
            # A telephone may ring for long: only its owner knows when that is enough.
            self._end.cancel()
        self.state = State.PROCEEDING

    def _accept(self, response: Response) -> None:
        if self.state in (State.STARTED, State.PROCEEDING):
            self._stop_repeating()
            self.state = State.ACCEPTED
            # Even a reliable hop may have unreliable ones behind it, whose 2xx come again.
            self._end_after(self._timing.patience)
        if self.state is State.ACCEPTED:
            self._on_response(response)

    def _refused(self, response: Response) -> None:
        self._stop_repeating()
        self.state = State.COMPLETED
        self._ack = _ack_of_refusal(self.request, response).encode()
        self._end_after(0 if self.path.reliable else self._timing.patience)
        if self._send(self._ack):
            self._on_response(response)

    def _failed(self, why: str) -> None:
        if self._ack is None:
            super()._failed(why)


class OtherClient(ClientTransaction):
    """Any request but INVITE and ACK."""

    def receive(self, response: Response) -> None:
        if self.state not in (State.STARTED, State.PROCEEDING):
            return
        if response.status < 200:
            if self.state is State.STARTED:
                self.state = State.PROCEEDING
                self._slow_down()
        else:
            self._stop_repeating()
            self.state = State.COMPLETED
            self._end_after(0 if self.path.reliable else self._timing.t4)
        self._on_response(response)

    def _slow_down(self) -> None:
        t2 = self._timing.t2
        if not self.path.reliable:
            self._stop_repeating()
            self._repeat_after(t2, longest=t2, data=self.request.encode())


def _ack_of_refusal(request: Request, response: Response) -> Request:
    ack = Request("ACK", request.uri, headers=Headers([("Via", request.headers.all("Via")[0])]))
    for name, value in request.headers:
        if name in ("Max-Forwards", "From", "Call-ID", "Route"):
            ack.headers.add(name, value)
    ack.headers.add("To", response.headers.get("To"))
    ack.headers.add("CSeq", f"{request.cseq[0]} ACK")
    return ack


class ServerTransaction(_Transaction):
    """One request of a peer. ``on_gone`` hears when our answer was never acknowledged."""

    _last: bytes | None = None

    def __init__(
        self, request: Request, path: Path, scheduler: Scheduler, timing: Timing, *, on_gone: OnGone
    ) -> None:
        super().__init__(request, path, scheduler, timing)
        self._on_gone = on_gone

    def repeated(self) -> None:
        """The request came again: so does what was last said."""
        if self._last is not None and self.state is not State.CONFIRMED:
            self._send(self._last)

    def respond(self, response: Response) -> None:
        """Send a response; after a final one, nothing more is said."""
        if self.state not in (State.STARTED, State.PROCEEDING):
            return
        self._last = response.encode()
        self.state = State.PROCEEDING
        if self._send(self._last) and response.status >= 200:
            self._finally(response, self._last)

    def _finally(self, response: Response, data: bytes) -> None:
        self.state = State.COMPLETED
        self._end_after(0 if self.path.reliable else self._timing.patience)

    def _failed(self, why: str) -> None:
        self._on_gone(why)


class InviteServer(ServerTransaction):
    """An INVITE of a peer: repeats its final answer until the ACK comes."""

    def _finally(self, response: Response, data: bytes) -> None:
        timing = self._timing
        accepted = response.status < 300
        self.state = State.ACCEPTED if accepted else State.COMPLETED
        self._end_after(timing.patience, "no ACK came")
        # A 2xx is repeated end to end, whatever this hop promises.
        if accepted or not self.path.reliable:
            self._repeat_after(timing.t1, longest=timing.t2, data=data)

    def acknowledged(self) -> None:
        """The ACK came."""
        if self.state in (State.ACCEPTED, State.COMPLETED):
            self._stop_repeating()
            self.state = State.CONFIRMED
            self._end_after(self._timing.t4)


class Transactions:
    """Every transaction in progress, and which of them a message belongs to."""

    def __init__(self, scheduler: Scheduler, timing: Timing) -> None:
        self._scheduler = scheduler
        self._timing = timing
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def ask(
        self, request: Request, path: Path, *, on_response: OnResponse, on_gone: OnGone
    ) -> ClientTransaction:
        """Send a request of ours that has its Via."""
        kind = InviteClient if request.method == "INVITE" else OtherClient
        made = kind(request, path, self._scheduler, self._timing, on_response=on_response, on_gone=on_gone)
        key: Key = (first_via(request.headers.get("Via")).branch, request.method)
        self._clients[key] = made
        made._forget = lambda: _drop(self._clients, key, made)
        made.start()
        return made

    def serve(self, request: Request, path: Path, *, on_gone: OnGone) -> ServerTransaction:
        """Begin to answer a peer's request that :meth:`absorbs` did not know."""
        kind = InviteServer if request.method == "INVITE" else ServerTransaction
        made = kind(request, path, self._scheduler, self._timing, on_gone=on_gone)
        key = _server_key(request)
        self._servers[key] = made
        made._forget = lambda: _drop(self._servers, key, made)
        return made

    def take_response(self, response: Response) -> bool:
        """Hand a response to the request it answers; False when there is none. Raises Malformed."""
        _, method = response.cseq
        found = self._clients.get((first_via(response.headers.get("Via")).branch, method))
        if found is not None:
            found.receive(response)
        return found is not None

    def absorbs(self, request: Request) -> bool:
        """Whether a request is a repeat, or the ACK of a refusal. Raises Malformed."""
        found = self._servers.get(_server_key(request))
        if found is None:
            return False
        if request.method != "ACK":
            found.repeated()
        elif isinstance(found, InviteServer) and found.state is not State.ACCEPTED:
            found.acknowledged()
        else:
            return False
        return True

    def forget_all(self) -> None:
        """Stop every timer and say nothing more."""
        for transaction in (*self._clients.values(), *self._servers.values()):
            transaction.finish()


def _server_key(request: Request) -> Key:
    method = "INVITE" if request.method == "ACK" else request.method
    via = first_via(request.headers.get("Via"))
    if not via.branch:
        raise Malformed("a Via without its branch")
    return via.branch, via.host, via.port, request.call_id, request.cseq[0], method


def _drop(table: dict[Key, ClientTransaction] | dict[Key, ServerTransaction], key: Key, made: object) -> None:
    if table.get(key) is made:
        del table[key]
