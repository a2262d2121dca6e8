"""The addresses that a voice service calls on us. Each belongs to one call and one step of it.

An address carries the call's key, a signature over it, and the step, so that nothing said about one call
can be taken for another. Where the service needs to be told what to do next, the plan travels with the
address, sealed: whoever answers needs no more than the request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit

from sentinel.channels.voice.base import Intent
from sentinel.kernel import sealing

PREFIX = "voice/"
_PURPOSE = "voice"
_MAC_LENGTH = 32
_LONGEST_WHISPER = 300


class NotOurs(ValueError):
    """No address of ours, or one whose signature does not fit its call."""


class Step(StrEnum):
    """What an address is for."""

    OWNER = "owner"  # how far the owner's leg has come
    WHISPER = "whisper"  # the owner has answered: what shall be said?
    PRESS = "press"  # the owner has pressed something, or nothing
    WORKER = "worker"  # how far the worker's leg has come
    MACHINE = "machine"  # whether a person answered at the worker's
    AFTER = "after"  # the worker's leg is over


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to happen once the owner has answered."""

    worker_number: str
    caller: str
    ring_seconds: int
    longest_seconds: int
    whisper: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Address:
    """What an address says. ``of``: the reference of the owner's leg. ``turn``: how often we have asked."""

    key: str
    step: Step
    plan: Plan | None = None
    of: str = ""
    turn: int = 1


def plan_of(intent: Intent, *, caller: str) -> Plan:
    """What is to happen with a call once its owner has answered."""
    return Plan(
        worker_number=intent.worker_number,
        caller=caller,
        ring_seconds=intent.ring_worker_seconds,
        longest_seconds=intent.longest_seconds,
        whisper=intent.whisper[:_LONGEST_WHISPER],
        language=intent.language,
    )


def write(address: Address, *, base_url: str, secrets: Sequence[str]) -> str:
    """The absolute address."""
    query: dict[str, str] = {}
    if address.plan is not None:
        # As short as can be, also in Japanese: not every server takes addresses of any length.
        content = json.dumps(asdict(address.plan), separators=(",", ":"), ensure_ascii=False).encode()
        sealed = sealing.seal(content, purpose=_PURPOSE, bound_to=address.key, secrets=secrets)
        query["plan"] = urlsafe_b64encode(sealed).decode()
    if address.of:
        query["of"] = address.of
    if address.turn > 1:
        query["turn"] = str(address.turn)
    path = f"{PREFIX}{address.key}/{_mac(address.key, secrets[0])}/{address.step.value}"
    return f"{base_url}/{path}" + (f"?{urlencode(query)}" if query else "")


def read(url: str, *, base_url: str, secrets: Sequence[str]) -> Address:
    """What an address of ours says. Raises :class:`NotOurs`, the same for whatever is wrong with it."""
    start = f"{base_url}/{PREFIX}"
    parts = urlsplit(url)
    pieces = url.removeprefix(start).partition("?")[0].split("/") if url.startswith(start) else []
    key, mac, step = pieces if len(pieces) == 3 else ("", "", "")
    # No short cut: time must not tell which secret was right.
    fitting = [hmac.compare_digest(mac.encode(), _mac(key, secret).encode()) for secret in secrets]
    if not any(fitting) or step not in set(Step):
        raise NotOurs("no address of ours")
    query = dict(parse_qsl(parts.query, max_num_fields=5))
    turn = query.get("turn", "1")
    return Address(
        key=key,
        step=Step(step),
        plan=_plan(query, key, secrets),
        of=query.get("of", ""),
        turn=int(turn) if turn in ("1", "2") else 2,
    )


def _plan(query: Mapping[str, str], key: str, secrets: Sequence[str]) -> Plan | None:
    if "plan" not in query:
        return None
    try:
        sealed = urlsafe_b64decode(query["plan"])
        content = sealing.unseal(sealed, purpose=_PURPOSE, bound_to=key, secrets=secrets)
    except ValueError:  # no base64, or sealed for another call
        raise NotOurs("no address of ours") from None
    return Plan(**json.loads(content))


def _mac(key: str, secret: str) -> str:
    signed = hmac.new(secret.encode(), b"sentinel.voice|" + key.encode(), hashlib.sha256)
    return signed.hexdigest()[:_MAC_LENGTH]
