"""How to reach the exchange, who we are there, and how numbers become addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from sentinel.channels.voice.sip.addresses import Uri, user_part
from sentinel.channels.voice.sip.digest import Credentials
from sentinel.channels.voice.sip.message import Malformed
from sentinel.channels.voice.sip.wire import Timing

_E164 = re.compile(r"\+[1-9][0-9]{3,14}")


@dataclass(frozen=True, kw_only=True)
class SipSettings:
    """One exchange or trunk. Raises Malformed where a setting cannot work.

    ``number_template`` makes a request URI of a number: ``{number}`` is E.164 with its plus, ``{digits}``
    without. ``outbound`` is where calls are sent first (``sip:sbc.example.com:5060;transport=tcp``); without
    it, to the host of the template. With ``always_outbound`` the rest of a call goes there, too, for
    exchanges that name addresses nobody can reach. ``caller_template`` makes our From, with ``{caller}``:
    the caller id of the call, or the username when it has none. ``trusted_hosts`` are the hosts that SIP
    addresses of people may name, besides the template's. ``listen`` and ``port`` are where we can be
    reached, ``advertised`` how the exchange reaches us there when it sees another address.
    """

    number_template: str
    username: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    outbound: str = ""
    always_outbound: bool = False
    caller_template: str = ""
    assert_identity: bool = False
    show_whisper: bool = True
    trusted_hosts: frozenset[str] = frozenset()
    listen: str = ""
    port: int = 0
    advertised: str = ""
    most_calls: int = 200
    timing: Timing = field(default_factory=Timing)

    def __post_init__(self) -> None:
        if "{number}" not in self.number_template and "{digits}" not in self.number_template:
            raise Malformed("the template for numbers names no {number} or {digits}")
        if self.domain.scheme != "sip":
            raise Malformed("only sip: is supported; TLS ends at the exchange")
        if self.domain.transport not in ("", "udp", "tcp"):
            raise Malformed("only the transports UDP and TCP are supported")
        _ = self.way_out, self.caller("")

    @cached_property
    def domain(self) -> Uri:
        """The template's address for some number."""
        return Uri.parse(_filled(self.number_template, number="+1000000", digits="1000000"))

    @cached_property
    def way_out(self) -> Uri | None:
        """Where the first request of every dialog is sent; None for the host it is for."""
        return Uri.parse(self.outbound) if self.outbound else None

    @cached_property
    def credentials(self) -> Credentials | None:
        return Credentials(self.username, self.password, self.realm) if self.username else None

    def target(self, number: str) -> Uri:
        """The request URI for a number or a SIP address of a trusted host; raises Malformed."""
        if number.lower().startswith("sip:"):
            uri = Uri.parse(number)
            if uri.host not in {self.domain.host, *self.trusted_hosts}:
                raise Malformed(f"{uri.host} is not a host that may be called")
            if uri.transport not in ("", "udp", "tcp"):
                raise Malformed("only the transports UDP and TCP are supported")
            return uri
        if _E164.fullmatch(number) is None:
            raise Malformed("neither a number in international form nor a SIP address")
        return Uri.parse(_filled(self.number_template, number=number, digits=number[1:]))

    def caller(self, caller_id: str) -> Uri:
        """Our own address on a call; raises Malformed."""
        caller = user_part(caller_id or self.username or "sentinel")
        if self.caller_template:
            return Uri.parse(_filled(self.caller_template, caller=caller))
        return Uri(self.domain.host, user=caller)


def _filled(template: str, **values: str) -> str:
    # Not str.format, which would let a template reach into objects.
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
