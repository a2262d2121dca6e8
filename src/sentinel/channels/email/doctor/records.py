"""Reading the TXT records of DKIM and DMARC. Pure."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

POLICIES = ("none", "quarantine", "reject")


def tags_of(record: str) -> dict[str, str]:
    """``a=b; c=d`` as a dictionary, lower-case names; the first of equal names counts."""
    tags: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


@dataclass(frozen=True, kw_only=True)
class DkimKey:
    """A published key. ``bits`` of RSA keys; ``broken``: why nobody can use it, in words."""

    kind: str = "rsa"
    value: str = ""
    bits: int = 0
    is_revoked: bool = False
    is_testing: bool = False
    broken: str = ""


def read_dkim(record: str) -> DkimKey:
    """The key in a DKIM record (RFC 6376, RFC 8463)."""
    tags = tags_of(record)
    kind = tags.get("k", "rsa").lower()
    value = "".join(tags.get("p", "").split())
    testing = "y" in tags.get("t", "").lower().split(":")
    if tags.get("v", "DKIM1") != "DKIM1":
        return DkimKey(kind=kind, value=value, broken=f"its version is “{tags['v']}”, not DKIM1")
    if "p" not in tags:
        return DkimKey(kind=kind, broken="it has no p=, where the key belongs")
    if not value:
        return DkimKey(kind=kind, is_revoked=True, is_testing=testing)
    if kind == "ed25519":
        return DkimKey(kind=kind, value=value, is_testing=testing)
    try:
        key = load_der_public_key(b64decode(value, validate=True))
    except (ValueError, Error, UnsupportedAlgorithm):
        return DkimKey(kind=kind, value=value, broken="its key is cut off or damaged")
    if not isinstance(key, rsa.RSAPublicKey):
        return DkimKey(kind=kind, value=value, broken="its key is not of the kind it says")
    return DkimKey(kind=kind, value=value, bits=key.key_size, is_testing=testing)


def is_dkim(record: str) -> bool:
    """Whether a TXT record is meant to be a DKIM key."""
    return "p" in tags_of(record) or record.lower().startswith("v=dkim1")


def dmarc_records(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The DMARC records among a name's TXT records."""
    return tuple(t for t in texts if t.replace(" ", "").lower().startswith("v=dmarc1"))


@dataclass(frozen=True, kw_only=True)
class Dmarc:
    """A DMARC policy. ``policy`` is the one that counts for the asked domain; empty when unreadable."""

    policy: str
    percent: int
    reports_to: tuple[str, ...]
    strict_spf: bool
    strict_dkim: bool


def read_dmarc(record: str, *, is_subdomain: bool) -> Dmarc:
    """The policy of a record; ``is_subdomain``: it was found at a parent of the asked domain."""
    tags = tags_of(record)
    policy = (tags.get("sp") if is_subdomain else None) or tags.get("p", "")
    uris = (uri.strip().partition("!")[0] for uri in tags.get("rua", "").split(","))
    percent = tags.get("pct", "100")
    return Dmarc(
        policy=policy.lower() if policy.lower() in POLICIES else "",
        percent=int(percent) if percent.isdigit() else 100,
        reports_to=tuple(uri[len("mailto:") :].lower() for uri in uris if uri.lower().startswith("mailto:")),
        strict_spf=tags.get("aspf", "r").lower() == "s",
        strict_dkim=tags.get("adkim", "r").lower() == "s",
    )


def is_aligned(domain: str, other: str, *, strict: bool, organisation: str) -> bool:
    """Whether two domains count as one for DMARC. ``organisation``: where the DMARC record stands; below
    it, relaxed alignment takes every domain for family."""
    if domain == other or strict:
        return domain == other
    family = (organisation, min(domain, other, key=len))
    return any(_is_below(domain, parent) and _is_below(other, parent) for parent in family if parent)


def _is_below(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")
