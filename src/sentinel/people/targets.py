"""Targets that users enter: which are allowed, and how they are shown without their secrets. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sentinel.kernel.addresses import is_plainly_private
from sentinel.people.errors import ContactRefused

LONGEST_TARGET = 2_000
_SHAPE = re.compile(r"[a-z][a-z0-9+.-]*://[\x21-\x7e]+", re.IGNORECASE)
#: Options of a chat address that would weaken the sending or make one message several.
FORBIDDEN_OPTIONS = frozenset({"verify", "redirect", "rto", "cto", "retry", "wait", "store", "overflow"})
#: So much of the last part is shown, when it is long enough to stay a secret all the same.
_SHOWN, _LONG_ENOUGH = 3, 8


def parts_of(target: str) -> SplitResult:
    """A target in its parts. Refused when two readers could understand it differently."""
    if len(target) > LONGEST_TARGET or not _SHAPE.fullmatch(target) or re.search(r'[\\#<>"`^{}|]', target):
        raise ContactRefused(
            "target_invalid", "This is not an address like tgram://token/chat or https://host/path."
        )
    try:
        parts = urlsplit(target)
    except ValueError:
        raise ContactRefused("target_invalid", "The host in this address is wrong.") from None
    if not parts.netloc or parts.netloc.count("@") > 1:
        raise ContactRefused("target_invalid", "This address names no host, or more than one.")
    return parts


def check_chat_target(target: str, *, allowed: Iterable[str]) -> SplitResult:
    """Refuse a chat address that the administrator's list does not allow.

    An entry of ``allowed`` is a scheme (``tgram``: a service with a fixed address of its own), or a scheme
    and the only host it may name (``ntfys://ntfy.example.com``, ``workflows://*.logic.azure.com``).
    """
    parts = parts_of(target)
    options = {name.lower() for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    if found := sorted(options & FORBIDDEN_OPTIONS):
        raise ContactRefused(
            "target_option", f"Leave out the option {found[0]}; Sentinel decides about that."
        )
    if not is_allowed(parts.scheme, _host_of(parts), allowed=allowed):
        services = ", ".join(sorted({entry.split("://")[0] for entry in allowed})) or "none"
        raise ContactRefused(
            "target_not_allowed",
            f"Messages to {parts.scheme}:// at this host are not allowed here. Allowed services: {services}. "
            "An administrator can allow more.",
        )
    return parts


def _host_of(parts: SplitResult) -> str:
    """The host; empty where what follows the colon is no port but a token (``tgram://123:token/chat``)."""
    try:
        _ = parts.port
    except ValueError:
        return ""
    return parts.hostname or ""


def is_allowed(scheme: str, host: str, *, allowed: Iterable[str]) -> bool:
    """Whether an entry of the list allows this scheme at this host."""
    for entry in allowed:
        allowed_scheme, _, allowed_host = entry.lower().partition("://")
        if allowed_scheme == scheme.lower() and (not allowed_host or host_matches(host, allowed_host)):
            return True
    return False


def host_matches(host: str, pattern: str) -> bool:
    """Whether a host is the one of ``pattern``, or below it where the pattern begins with ``*.``."""
    host = host.lower().rstrip(".")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def masked(target: str) -> str:
    """A target as people may see it: its service and the last three characters, no secret.

    Only where the scheme is that of the web is the host no secret either.
    """
    parts = urlsplit(target)
    tail = parts.path.rstrip("/").rpartition("/")[2]
    shown = tail[-_SHOWN:] if len(tail) >= _LONG_ENOUGH else ""
    host = parts.hostname if parts.scheme in ("http", "https") else ""
    return f"{parts.scheme}://{host or ''}{'/' if host else ''}…{shown}"


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A browser that wants notices: where its push service takes them, and what to encrypt them with.

    ``key`` (65 bytes) and ``secret`` (16) are the browser's, ``application_key`` is ours when it subscribed;
    all in base64 without padding.
    """

    endpoint: str
    key: str
    secret: str
    application_key: str

    def __repr__(self) -> str:
        return f"Subscription({urlsplit(self.endpoint).hostname})"


_BASE64 = re.compile(r"[A-Za-z0-9_-]+")


def read_subscription(text: str, *, services: Iterable[str], plain: bool = False) -> Subscription:
    """What a browser's PushSubscription says, with ``applicationKey`` added by our script.

    Refused unless the endpoint is at one of ``services`` (hosts, ``*.example.com`` for all below), by https
    unless ``plain``.
    """
    try:
        said = json.loads(text)
        keys = said["keys"]
        found = Subscription(
            endpoint=str(said["endpoint"]),
            key=str(keys["p256dh"]).rstrip("="),
            secret=str(keys["auth"]).rstrip("="),
            application_key=str(said["applicationKey"]).rstrip("="),
        )
    except (ValueError, KeyError, TypeError):
        raise ContactRefused("push_invalid", "The browser did not say how it can be reached.") from None
    parts = parts_of(found.endpoint)
    if not all(_BASE64.fullmatch(v) for v in (found.key, found.secret, found.application_key)):
        raise ContactRefused("push_invalid", "The browser's keys cannot be read.")
    if (len(found.key), len(found.secret)) != (87, 22):
        raise ContactRefused("push_invalid", "The browser's keys have the wrong length.")
    host = _host_of(parts)
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        raise ContactRefused("push_invalid", "A push service must be reached by https.")
    if not any(host_matches(host, pattern) for pattern in services):
        raise ContactRefused("push_not_allowed", f"The push service {host} is not allowed here.")
    return found


def written_subscription(found: Subscription) -> str:
    """A subscription in one form, so that the same browser is recognised."""
    return json.dumps(
        {
            "endpoint": found.endpoint,
            "keys": {"p256dh": found.key, "auth": found.secret},
            "applicationKey": found.application_key,
        }
    )


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An address that takes signed notices, and the key (``whsec_`` and base64) they are signed with."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return f"Webhook({urlsplit(self.url).hostname})"


def check_webhook_url(url: str, *, plain: bool = False) -> None:
    """Refuse what is no address of the web, or plainly one of a private network, unless ``plain``; where a
    name leads is judged per call."""
    parts = parts_of(url)
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        raise ContactRefused("webhook_invalid", "A webhook must have an address like https://host/path.")
    if not _host_of(parts) or parts.username is not None:
        raise ContactRefused("webhook_invalid", "This address names no host, or holds a user name.")
    if not plain and is_plainly_private(_host_of(parts)):
        raise ContactRefused(
            "webhook_private", "This address is in a private network; Sentinel calls only public ones."
        )


def read_webhook(text: str, *, plain: bool = False) -> Webhook:
    """A webhook as it was written by :func:`written_webhook`."""
    try:
        said = json.loads(text)
        found = Webhook(url=str(said["url"]), secret=str(said["secret"]))
    except (ValueError, KeyError, TypeError):
        raise ContactRefused("webhook_invalid", "This webhook cannot be read; add it again.") from None
    check_webhook_url(found.url, plain=plain)
    return found


def written_webhook(found: Webhook) -> str:
    """A webhook in one form."""
    return json.dumps({"url": found.url, "secret": found.secret})
