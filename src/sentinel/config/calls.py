"""From the setting that names an exchange to what the adapters want to know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sentinel.channels.voice.http.settings import HttpSettings
from sentinel.channels.voice.sip.message import Malformed
from sentinel.channels.voice.sip.settings import SipSettings
from sentinel.config.servers import wrong
from sentinel.config.telephone import CallsBy

_YES, _NO = frozenset({"1", "yes", "on", "true"}), frozenset({"0", "no", "off", "false"})


def sip_settings(calls_by: CallsBy) -> SipSettings:
    """How to reach the exchange. Raises ValueError in plain words for options that cannot work."""
    options = calls_by.options
    transport = options.get("transport", "udp").lower()
    if transport not in ("udp", "tcp"):
        raise wrong("knows the transports udp and tcp; TLS ends at the exchange")
    suffix = ";transport=tcp" if transport == "tcp" else ""
    host = f"[{calls_by.host}]" if ":" in calls_by.host else calls_by.host
    outbound = options.get("outbound", "")
    where = f"{host}:{calls_by.port}" if calls_by.port else host
    template = options.get("number", "sip:{number}@" + where)
    if suffix and ";transport=" not in template.lower():
        template += suffix
    try:
        return SipSettings(
            number_template=template,
            username=calls_by.username,
            password=calls_by.password,
            realm=options.get("realm", ""),
            outbound="" if outbound == "direct" else outbound or f"sip:{where}{suffix}",
            always_outbound=_flag(options, "route", default=False),
            caller_template=options.get("from", ""),
            assert_identity=_flag(options, "identity", default=False),
            show_whisper=_flag(options, "whisper", default=True),
            trusted_hosts=frozenset({h.strip().lower() for h in options.get("hosts", "").split(",")} - {""}),
            listen=options.get("listen", ""),
            port=_number(options, "port", default=0, most=65_535),
            advertised=options.get("advertised", ""),
            most_calls=_number(options, "calls", default=200, most=10_000),
        )
    except Malformed as error:
        raise wrong(f"cannot work: {error}") from None


def http_settings(calls_by: CallsBy, *, base_url: str, secrets: Sequence[str]) -> HttpSettings:
    """How to reach the voice service, and how it reaches us. Raises ValueError in plain words."""
    if re.fullmatch(r"\+[1-9][0-9]{3,14}", calls_by.caller) is None:
        raise wrong(
            "takes a caller with country code, like %2B49301234567: a plus is written %2B in an address"
        )
    host = f"{calls_by.host}:{calls_by.port}" if calls_by.port else calls_by.host
    return HttpSettings(
        account=calls_by.username,
        token=calls_by.password,
        caller=calls_by.caller,
        base_url=base_url,
        secrets=secrets,
        api_url=f"{'http' if calls_by.is_plain else 'https'}://{host}{calls_by.path}",
        voice=calls_by.options.get("voice", ""),
        finds_machines=_flag(calls_by.options, "machines", default=False),
    )


def check_calls(calls_by: CallsBy) -> None:
    """Raises ValueError in plain words for an address whose options cannot work."""
    if calls_by.provider == "sip":
        sip_settings(calls_by)
    elif calls_by.provider == "http_voice":
        http_settings(calls_by, base_url="", secrets=())


def _flag(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    said = options.get(name, "yes" if default else "no").lower()
    if said not in _YES | _NO:
        raise wrong(f"takes yes or no for {name}")
    return said in _YES


def _number(options: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    said = options.get(name, str(default))
    if not (said.isascii() and said.isdecimal() and int(said) <= most):
        raise wrong(f"takes a number up to {most} for {name}")
    return int(said)
