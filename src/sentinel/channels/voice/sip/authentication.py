"""When to answer a challenge, and when to stop: one leg's memory of who asked for credentials."""

from __future__ import annotations

from sentinel.channels.voice.sip.digest import Answerer, Credentials, first_answerable
from sentinel.channels.voice.sip.message import Request, Response

_MOST_ROUNDS = 4


class Authentication:
    """Signs requests of one dialog. What was asked for once is offered with every later request."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._answerers: dict[tuple[bool, str], Answerer] = {}
        self._last_invite: list[tuple[str, str]] = []

    @staticmethod
    def begin() -> list[tuple[bool, str]]:
        """A fresh list of whom one request has answered, for :meth:`accepts`."""
        return []

    def sign(self, request: Request) -> None:
        """Add the answers to the challenges that are known."""
        signed = [
            (answerer.header, answerer.answer(request.method, request.uri))
            for answerer in self._answerers.values()
        ]
        for name, value in signed:
            request.headers.add(name, value)
        if request.method == "INVITE":
            self._last_invite = signed

    def repeat(self, ack: Request) -> None:
        """Give the ACK of a 2xx the credentials of its INVITE, for nobody can challenge an ACK."""
        for name, value in self._last_invite:
            ack.headers.add(name, value)

    def accepts(self, response: Response, answered: list[tuple[bool, str]]) -> bool:
        """Whether a response is a challenge worth another try.

        A second challenge to the same request means that the password is wrong, unless it says that only
        the nonce had grown old.
        """
        if response.status not in (401, 407) or self._credentials is None or len(answered) >= _MOST_ROUNDS:
            return False
        proxy = response.status == 407
        name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        challenge = first_answerable(response.headers.all(name), proxy=proxy)
        if challenge is None or not self._credentials.are_for(challenge.realm):
            return False
        who = (proxy, challenge.realm)
        if who in answered and not challenge.stale:
            return False
        answered.append(who)
        self._answerers[who] = Answerer(challenge, self._credentials)
        return True
