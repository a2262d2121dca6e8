"""Digest authentication as a client: RFC 2617, RFC 7616 and RFC 8760, for 401 and 407.

Of several challenges the first that we can answer counts. ``auth-int`` alone is refused: nobody uses it
with SIP.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sentinel.channels.voice.sip.addresses import quoted
from sentinel.channels.voice.sip.message import Malformed

_PARAM = re.compile(
    r'\s*,*\s*([A-Za-z0-9_-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))', re.DOTALL | re.ASCII
)
_ALGORITHMS: dict[str, str] = {"SHA-256": "sha256", "MD5": "md5"}


@dataclass(frozen=True)
class Credentials:
    """The name and password that the exchange knows us by; ``realm`` limits who may ask for them."""

    username: str
    password: str = field(repr=False)
    realm: str = ""

    def are_for(self, realm: str) -> bool:
        """Whether somebody who calls himself this may have an answer."""
        return self.realm in ("", realm)


@dataclass(frozen=True)
class Challenge:
    """What a 401 or 407 asks for. ``proxy``: the answer goes into Proxy-Authorization."""

    realm: str
    nonce: str
    algorithm: str
    session: bool
    qop: bool
    opaque: str | None
    stale: bool
    proxy: bool

    @classmethod
    def parse(cls, value: str, *, proxy: bool) -> Challenge:
        """Read one WWW-Authenticate or Proxy-Authenticate; raises Malformed for what we cannot answer."""
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() != "digest":
            raise Malformed("no digest challenge")
        found = {
            m[1].lower(): re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3]
            for m in _PARAM.finditer(rest)
        }
        algorithm, session = found.get("algorithm", "MD5").upper(), False
        if algorithm.endswith("-SESS"):
            algorithm, session = algorithm.removesuffix("-SESS"), True
        offered = [option.strip().lower() for option in found["qop"].split(",")] if found.get("qop") else []
        if algorithm not in _ALGORITHMS or not found.get("nonce") or (offered and "auth" not in offered):
            raise Malformed("a challenge that we cannot answer")
        return cls(
            realm=found.get("realm", ""),
            nonce=found["nonce"],
            algorithm=algorithm,
            session=session,
            qop=bool(offered),
            opaque=found.get("opaque"),
            stale=found.get("stale", "").lower() == "true",
            proxy=proxy,
        )


def _unquoted(match: re.Match[str]) -> str:
    return match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])


def first_answerable(values: Iterable[str], *, proxy: bool) -> Challenge | None:
    """The first challenge that we can answer, for servers put their favourite first (RFC 8760)."""
    for value in values:
        try:
            return Challenge.parse(value, proxy=proxy)
        except Malformed:
            continue
    return None


def _new_cnonce() -> str:
    return secrets.token_hex(16)


class Answerer:
    """Answers one challenge again and again, counting as the server expects."""

    def __init__(
        self, challenge: Challenge, credentials: Credentials, *, new_cnonce: Callable[[], str] = _new_cnonce
    ) -> None:
        self.challenge = challenge
        self._credentials = credentials
        self._count = 0
        self._new_cnonce = new_cnonce
        self._session_cnonce = new_cnonce()

    @property
    def header(self) -> str:
        """The header that carries the answer."""
        return "Proxy-Authorization" if self.challenge.proxy else "Authorization"

    def answer(self, method: str, uri: str) -> str:
        """The value of the header for one request."""
        asked = self.challenge
        self._count += 1
        cnonce = self._session_cnonce if asked.session else self._new_cnonce()
        count = f"{self._count:08x}"
        parts = [
            f"username={quoted(self._credentials.username)}",
            f"realm={quoted(asked.realm)}",
            f"nonce={quoted(asked.nonce)}",
            f"uri={quoted(uri)}",
            f'response="{self._response(method, uri, cnonce, count)}"',
            f"algorithm={asked.algorithm}{'-sess' if asked.session else ''}",
        ]
        if asked.opaque is not None:
            parts.append(f"opaque={quoted(asked.opaque)}")
        if asked.qop:
            parts += ["qop=auth", f"nc={count}"]
        if asked.qop or asked.session:
            parts.append(f'cnonce="{cnonce}"')
        return "Digest " + ", ".join(parts)

    def _response(self, method: str, uri: str, cnonce: str, count: str) -> str:
        asked, who = self.challenge, self._credentials
        secret = self._hash(f"{who.username}:{asked.realm}:{who.password}")
        if asked.session:
            secret = self._hash(f"{secret}:{asked.nonce}:{cnonce}")
        what = self._hash(f"{method}:{uri}")
        if asked.qop:
            return self._hash(f"{secret}:{asked.nonce}:{count}:{cnonce}:auth:{what}")
        return self._hash(f"{secret}:{asked.nonce}:{what}")

    def _hash(self, text: str) -> str:
        # MD5 is what most exchanges still ask for; it guards a nonce here, not a file.
        name = _ALGORITHMS[self.challenge.algorithm]
        return hashlib.new(name, text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
