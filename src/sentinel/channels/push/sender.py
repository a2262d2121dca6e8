"""Hands a notice to the push service of one browser, encrypted so that only that browser reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.calling import hand_over
from sentinel.channels.opening import CANNOT_OPEN, Opened, Opener, opened
from sentinel.channels.push.encryption import LONGEST_TEXT, authorization, encrypt
from sentinel.channels.push.words import labels
from sentinel.kernel.push_keys import decode, encode, raw_public
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.errors import ContactRefused
from sentinel.people.targets import Subscription, read_subscription

#: A phone that was off hears of it within this time; later the ladder has climbed by itself.
LIVES_SECONDS = 3_600
_GONE = (404, 410)
_LONGEST_BODY = 600
#: What asks how a call went opens the call brief; there is nothing to take or to hand over.
_WITHOUT_BUTTONS = ("call.ended",)


class PushSender:
    """The channel ``push``. ``keys``: ours, the present one first; ``services``: hosts of push services.

    A repeat replaces the notice it repeats, because it has the same topic and tag.
    """

    channel = "push"
    capabilities = Capabilities(may_repeat=True, connections=2, batch=4)

    def __init__(
        self,
        *,
        opener: Opener,
        keys: Sequence[ec.EllipticCurvePrivateKey],
        services: Sequence[str],
        contact: str,
        allow_private: bool = False,
    ) -> None:
        self._opener, self._services, self._contact = opener, tuple(services), contact
        self._keys = {encode(raw_public(key.public_key())): key for key in keys}
        self._allow_private = allow_private

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once; never raises."""
        try:
            said = opened(message, self._opener)
            browser = read_subscription(said.target, services=self._services, plain=self._allow_private)
            body = encrypt(
                _notice(message, said),
                browser_key=decode(browser.key),
                browser_secret=decode(browser.secret),
            )
        except ContactRefused as refused:
            return Sent(result=Result.PERMANENT, detail=refused.message, provider="push")
        except ValueError:
            return Sent(result=Result.PERMANENT, detail=CANNOT_OPEN, provider="push")
        key = self._keys.get(browser.application_key)
        if key is None:
            return Sent(
                result=Result.PERMANENT,
                detail="the secret key was changed; subscribe again",
                provider="push",
                address_refused=True,
            )
        return self._post(message, browser, body, key, now)

    def close(self) -> None:
        """Nothing is held open."""

    def _post(
        self,
        message: Claimed,
        browser: Subscription,
        body: bytes,
        key: ec.EllipticCurvePrivateKey,
        now: datetime,
    ) -> Sent:
        parts = urlsplit(browser.endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(LIVES_SECONDS),
            "Urgency": "high",
            "Topic": encode(hashlib.sha256(_tag(message).encode()).digest())[:32],
            "Authorization": authorization(origin=origin, contact=self._contact, key=key, now=now),
        }
        return hand_over(
            browser.endpoint,
            body=body,
            headers=headers,
            provider="push",
            ref=message.dedupe_key,
            gone=_GONE,
            allow_private=self._allow_private,
        )


def _tag(message: Claimed) -> str:
    """What a later notice of this name replaces on the screen: its repeat, or the next picture of a storm."""
    return str(message.payload.get("tag") or message.dedupe_key)


def _notice(message: Claimed, said: Opened) -> bytes:
    """What the service worker shows: short enough for one record, whatever the worker wrote."""
    notice = {
        "title": said.title[:200],
        "body": said.text[:_LONGEST_BODY],
        "path": urlsplit(said.url).path or "/",
        "tag": _tag(message),
        "again": "tag" in message.payload,
        "problem": None if message.kind in _WITHOUT_BUTTONS else message.payload.get("problem_id"),
        "labels": labels(str(message.payload.get("language", "en"))),
    }
    text = json.dumps(notice, ensure_ascii=False).encode()
    if len(text) > LONGEST_TEXT:  # a tag never grows so long; the words in scripts with many bytes may
        text = json.dumps({**notice, "body": said.text[:200]}, ensure_ascii=False).encode()
    return text
