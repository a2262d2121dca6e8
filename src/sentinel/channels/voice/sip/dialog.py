"""A dialog (RFC 3261, section 12): what every request between us and one telephone has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel.channels.voice.sip.addresses import Address, Uri, tag_of
from sentinel.channels.voice.sip.message import Headers, Malformed, Request, Response

MAX_FORWARDS = "70"


@dataclass
class Dialog:
    """Our end of a dialog that we began. ``local`` and ``remote`` are whole From and To headers.

    Before the other end has answered, it has no tag and no route.
    """

    call_id: str
    local: str
    remote: str
    target: Uri
    routes: list[Address] = field(default_factory=list)
    cseq: int = 0
    their_cseq: int = -1

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """A new request inside the dialog, or its first one; without Via and Contact.

        ``cseq`` is given for ACK and CANCEL, which repeat the number of the request they are about.
        """
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        uri, routes = self._way()
        headers = Headers([("Max-Forwards", MAX_FORWARDS)])
        for route in routes:
            headers.add("Route", f"<{route}>")
        headers.add("From", self.local)
        headers.add("To", self.remote)
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{cseq} {method}")
        return Request(method, str(uri), headers=headers)

    def _way(self) -> tuple[Uri, list[Uri]]:
        routes = [route.uri for route in self.routes]
        if routes and "lr" not in routes[0].params:
            # A strict router of RFC 2543 wants to see itself in the request line.
            return routes[0], [*routes[1:], self.target]
        return self.target, routes

    @property
    def hop(self) -> Uri:
        """Where the next request is sent."""
        return self.routes[0].uri if self.routes else self.target

    def answered(self, response: Response) -> None:
        """Learn the other end's tag, route and contact from a 2xx to the first INVITE; raises Malformed."""
        remote = response.headers.get("To")
        if not tag_of(remote):
            raise Malformed("an answer without a tag")
        routes = [Address.parse(value) for value in response.headers.all("Record-Route")]
        self.remote = remote
        self.routes = routes[::-1]
        self.moved(response.headers)

    def moved(self, headers: Headers) -> None:
        """Follow the other end's contact; one that cannot be read leaves things as they are."""
        contacts = headers.all("Contact")
        if not contacts:
            return
        try:
            uri = Address.parse(contacts[0]).uri
        except Malformed:
            return
        if uri.scheme == "sip" and uri.transport in ("", "udp", "tcp"):
            self.target = uri

    @property
    def key(self) -> tuple[str, str]:
        """What requests of the other end name it by: Call-ID and our tag."""
        return self.call_id, tag_of(self.local)

    @property
    def is_established(self) -> bool:
        return bool(tag_of(self.remote))

    def is_of(self, request: Request) -> bool:
        """Whether a request of the other end belongs here: both tags must be right."""
        theirs = tag_of(request.headers.get("From"))
        return (
            bool(theirs)
            and theirs == tag_of(self.remote)
            and self.key == (request.call_id, tag_of(request.headers.get("To")))
        )
