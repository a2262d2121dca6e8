"""Posts a notice as signed JSON, with the headers of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime

from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.calling import hand_over
from sentinel.channels.opening import CANNOT_OPEN, Opened, Opener, opened
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.errors import ContactRefused
from sentinel.people.targets import read_webhook

_GONE = (410,)


class WebhookSender:
    """The channel ``webhook``. A repeat has the same ``webhook-id``, so a receiver can drop it."""

    channel = "webhook"
    capabilities = Capabilities(may_repeat=True, connections=2, batch=4)

    def __init__(self, *, opener: Opener, allow_private: bool = False) -> None:
        self._opener, self._allow_private = opener, allow_private

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once; never raises, and tells neither the path nor the secret of the target to anybody."""
        try:
            said = opened(message, self._opener)
            hook = read_webhook(said.target, plain=self._allow_private)
        except ContactRefused as refused:
            return Sent(result=Result.PERMANENT, detail=refused.message, provider="webhook")
        except ValueError:
            return Sent(result=Result.PERMANENT, detail=CANNOT_OPEN, provider="webhook")
        body = json.dumps(_said(message, said), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Sentinel",
            **signed(body, key=hook.secret, message_id=message.message_id, now=now),
        }
        return hand_over(
            hook.url,
            body=body,
            headers=headers,
            provider="webhook",
            ref=message.message_id,
            gone=_GONE,
            allow_private=self._allow_private,
        )

    def close(self) -> None:
        """Nothing is held open."""


def _said(message: Claimed, said: Opened) -> dict[str, object]:
    """A notice to a person's program, or an event to an endpoint of the house."""
    event = message.payload.get("event")
    if event:
        facts = {name: value for name, value in event.items() if name not in ("type", "at")}
        return {"type": event["type"], "timestamp": event["at"], "data": facts}
    return {
        "type": message.kind,
        "timestamp": message.created_at.isoformat(),
        "data": {
            "title": said.title,
            "text": said.text,
            "url": said.url,
            "problem_id": message.problem_id,
            "account_id": message.account_id,
        },
    }


def signed(body: bytes, *, key: str, message_id: str, now: datetime) -> dict[str, str]:
    """The three headers. ``key`` is ``whsec_`` and base64; the signature covers id, time and body."""
    second = str(int(now.timestamp()))
    content = f"{message_id}.{second}.".encode() + body
    digest = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), content, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": second,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
