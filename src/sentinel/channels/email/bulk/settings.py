"""What the process is told at its start, as JSON on its standard input: it holds secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RelaySettings:
    """One relay. ``tls``: none, starttls or implicit; ``mode``: auto, full, pipe or lock.

    ``per_second``: messages, 0 for no limit. ``weight``: its share of the work while several relays wait
    for some. ``ca_file``: certificates to trust instead of the machine's.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: str = "none"
    connections: int = 20
    per_second: float = 0.0
    per_connection: int = 500
    mode: str = "auto"
    weight: float = 1.0
    ca_file: str = ""

    @property
    def name(self) -> str:
        """As people read it; at most 80 characters."""
        return f"{self.host}:{self.port}"[:80]


@dataclass(frozen=True, kw_only=True)
class Signing:
    """DKIM: the private key as PEM text, and its name in the DNS."""

    key: str = field(repr=False)
    selector: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``secrets``: what signs links, newest first. ``reply_domain``: empty when replies go to people."""

    conninfo: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    base_url: str
    relays: tuple[RelaySettings, ...]
    reply_domain: str = ""
    demonstration: bool = False
    hello_name: str = ""
    dkim: Signing | None = None
    log_format: str = "text"
    reply_seconds: float = 60.0
    body_seconds: float = 300.0
    idle_seconds: float = 20.0
    claim_size: int = 2000

    def to_json(self) -> str:
        """For the process's standard input."""
        return json.dumps(asdict(self))


def from_json(text: str) -> Settings:
    """The settings as :meth:`Settings.to_json` wrote them."""
    values: dict[str, Any] = json.loads(text)
    values["relays"] = tuple(RelaySettings(**relay) for relay in values["relays"])
    values["secrets"] = tuple(values["secrets"])
    values["dkim"] = Signing(**values["dkim"]) if values.get("dkim") else None
    return Settings(**values)
