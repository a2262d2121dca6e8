"""Which addresses belong to the public internet. Asks nobody: no name is looked up here."""

from __future__ import annotations

import ipaddress
import socket


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_global) and not (mapped or ip).is_multicast


def is_plainly_private(host: str) -> bool:
    """Whether a host is, as it is written, one of a private network or this machine: an IP address in any
    spelling (``10.1``, ``0x7f.1``, ``2130706433``) or ``localhost``. False says nothing of other names."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public(name.partition("%")[0])
    except ValueError:
        pass
    try:
        # What the resolver takes for a number, without asking it.
        return not is_public(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError):
        return False
