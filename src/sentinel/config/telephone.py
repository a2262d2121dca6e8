"""The setting that says who places calls, and how its address is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal
from urllib.parse import parse_qsl, unquote

from sentinel.config.servers import split_address, wrong

SIP_EXAMPLE = "sip://user:password@pbx.example.com:5060?number=sip:{digits}@pbx.example.com"
HTTP_EXAMPLE = "twilio://account:token@api.twilio.com?caller=%2B49301234567"
#: What may stand behind the question mark; docs/how-to/place-calls.md says what each does.
SIP_OPTIONS = frozenset(
    {
        "number",
        "transport",
        "caller",
        "from",
        "realm",
        "outbound",
        "route",
        "identity",
        "listen",
        "advertised",
        "port",
        "calls",
        "whisper",
        "hosts",
    }
)
HTTP_OPTIONS = frozenset({"caller", "voice", "machines"})


@dataclass(frozen=True, kw_only=True)
class CallsBy:
    """Who places calls. ``tel``: nobody, people dial. ``options``: the rest of the address, by name.

    ``is_plain``: an HTTP service without TLS, for tests on this machine.
    """

    provider: Literal["tel", "sip", "http_voice"] = "tel"
    host: str = ""
    port: int | None = None
    path: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    caller: str = ""
    is_plain: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


def calls_by(url: str) -> CallsBy:
    """Who places calls, from the address. Raises with plain words; the address may hold a secret."""
    parts = split_address(url, SIP_EXAMPLE)
    if parts.scheme not in ("sip", "twilio", "twilio+http") or not parts.hostname:
        raise wrong(f"must look like {SIP_EXAMPLE} or {HTTP_EXAMPLE}")
    is_sip = parts.scheme == "sip"
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(set(options) - (SIP_OPTIONS if is_sip else HTTP_OPTIONS)):
        raise wrong(f"has options nobody knows: {', '.join(unknown)}")
    if not is_sip and not (parts.username and parts.password and options.get("caller")):
        raise wrong(f"must name account, token and a caller number, like {HTTP_EXAMPLE}")
    if not is_sip and find_spec("twilio") is None:
        raise wrong("names a voice service, which needs: pip install 'sentinel-assurance[telephone]'")
    return CallsBy(
        provider="sip" if is_sip else "http_voice",
        host=parts.hostname,
        port=parts.port,
        path=parts.path.rstrip("/"),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        caller=options.pop("caller", ""),
        is_plain=parts.scheme == "twilio+http",
        options=options,
    )
