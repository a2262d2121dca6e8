"""Raw mails as real clients, servers and attackers write them, and what a sensible reader makes of each.

``load()`` yields the stored mails of ``mails/`` and the large ones of ``generated.py``. Addresses,
Message-IDs and links stand in the files as ``{{placeholders}}``; ``load(places=...)`` puts real ones there.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from base64 import b32encode, b64decode, encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from struct import pack
from typing import Any

from tests.corpus import generated

FOLDER = Path(__file__).parent
MAILS = FOLDER / "mails"
BASE_URL = "https://sentinel.example.com"
INBOUND_DOMAIN = "in.sentinel.example"
SENDER = "care@provider.example"
WORKER = "olena@lindgren.example"
NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)

_PLACEHOLDER = re.compile(rb"\{\{(\w+)\}\}")
_BASE64 = re.compile(
    rb"(Content-Transfer-Encoding: base64\r\n(?:[^\r\n]+\r\n)*\r\n)((?:[A-Za-z0-9+/=]+(?:\r\n|$))+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class CorpusMail:
    """One mail as it came: its bytes, its envelope, and its table of ``expected.toml``.

    ``sent_text`` is the text part of the mail answered, where an expectation rests on knowing it.
    """

    name: str
    raw: bytes
    envelope_from: str
    envelope_to: str
    expected: Mapping[str, Any]
    sent_text: str = ""


def token(number: int) -> str:
    """A token in the right form that nobody signed; each number has its own."""
    mac = hashlib.sha256(b"corpus %d" % number).digest()[:16]
    return b32encode(pack(">BHQ", 1, 2255, number) + mac).decode().rstrip("=").lower()


def default_places() -> dict[str, str]:
    """What the placeholders stand for unless the caller knows better."""
    names = ("answer", "confirm", "problem", "preferences", "unsubscribe", "object")
    tokens = {f"{name}_token": token(number) for number, name in enumerate(names, start=10)}
    return tokens | {
        "reply": f"rd-{token(1)}@{INBOUND_DOMAIN}",
        "reply_message": f"rm-{token(2)}@{INBOUND_DOMAIN}",
        "bounce": f"bd-{token(1)}@{INBOUND_DOMAIN}",
        "bounce_message": f"bm-{token(2)}@{INBOUND_DOMAIN}",
        "unsubscribe": f"u-{token(3)}@{INBOUND_DOMAIN}",
        "message_id": f"rd-{token(1)}@provider.example",
        "answer_url": f"{BASE_URL}/a/{tokens['answer_token']}/frown/",
        "from": SENDER,
        "worker": WORKER,
    }


def filled(raw: bytes, places: Mapping[str, str]) -> bytes:
    """The mail with its placeholders replaced, inside base64 parts too. Unknown ones stay as they are."""

    def block(found: re.Match[bytes]) -> bytes:
        plain = b64decode(found[2])
        if not _PLACEHOLDER.search(plain):
            return found[0]
        again = encodebytes(_filled_outside_base64(plain, places)).replace(b"\n", b"\r\n")
        return found[1] + again

    return _filled_outside_base64(_BASE64.sub(block, raw), places)


def _filled_outside_base64(raw: bytes, places: Mapping[str, str]) -> bytes:
    return _PLACEHOLDER.sub(lambda found: places.get(found[1].decode(), found[0].decode()).encode(), raw)


def expectations() -> dict[str, dict[str, Any]]:
    """The tables of ``expected.toml`` by file name."""
    return tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))


def sent(name: str) -> str:
    """The text part of a mail of ours, e.g. ``question-de`` or ``ask-ja``, with its placeholders."""
    return (FOLDER / "sent" / f"{name}.txt").read_text(encoding="utf-8")


def settled(words: str) -> str:
    """Words as they are compared: outer blanks and empty lines carry no meaning."""
    lines = (
        " ".join(line.split()) for line in words.replace("\u200b", "").replace("\ufeff", "").splitlines()
    )
    return "\n".join(line for line in lines if line)


def load(places: Mapping[str, str] | None = None, *, with_generated: bool = True) -> list[CorpusMail]:
    """Every mail, stored ones first, in the order of their names. ``places`` overrides placeholders.

    The generated ones need more than 100 MB of memory; a test that wants one at a time uses ``large()``.
    """
    known = default_places() | dict(places or {})
    mails = [
        _mail(name, filled((MAILS / name).read_bytes(), known), expected, known)
        for name, expected in sorted(expectations().items())
    ]
    return mails + (list(large(places)) if with_generated else [])


def large(places: Mapping[str, str] | None = None) -> Iterator[CorpusMail]:
    """The generated mails, one at a time."""
    known = default_places() | dict(places or {})
    for made in generated.mails():
        yield _mail(made.name, _filled_outside_base64(made.raw, known), made.expected, known)


def _mail(name: str, raw: bytes, expected: Mapping[str, Any], places: Mapping[str, str]) -> CorpusMail:
    def put(text: str) -> str:
        return filled(text.encode(), places).decode()

    to = {"token": "{{reply}}", "verp": "{{bounce}}"}.get(expected.get("thread", "token"), "{{from}}")
    return CorpusMail(
        name=name,
        raw=raw,
        envelope_from=put(expected.get("envelope_from", "{{worker}}")),
        envelope_to=put(expected.get("envelope_to", to)),
        expected=expected,
        sent_text=put(sent(expected["answers"])) if "answers" in expected else "",
    )
