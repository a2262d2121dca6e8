"""Which voice service, who we are there, and where it reaches us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """One account at one service.

    ``api_url`` is where its interface begins, without a slash at the end. ``caller`` is the number that is
    shown, in E.164. ``base_url`` is where the service reaches us. ``secrets`` sign our addresses: the first
    one signs, every one of them reads. ``voice`` is the service's name of a voice for the whisper; empty: its
    own choice. With ``finds_machines`` it listens whether a machine answered at the worker's.
    ``queue_seconds``: a call that does not ring after that time is taken back.
    """

    account: str
    token: str = field(repr=False)
    caller: str
    base_url: str
    secrets: Sequence[str] = field(repr=False)
    api_url: str = "https://api.twilio.com"
    voice: str = ""
    finds_machines: bool = False
    connect_seconds: float = 3.0
    answer_seconds: float = 6.0
    queue_seconds: float = 20.0
