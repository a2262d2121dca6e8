"""The customers' rules: who counts as active, whether a permission covers a site. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Tier(StrEnum):
    """How fast the ladder climbs: key accounts faster."""

    STANDARD = "standard"
    KEY = "key"


class WorkerStatus(StrEnum):
    """Whether the worker still works at the customer."""

    ACTIVE = "active"
    LEFT = "left"


class Rhythm(StrEnum):
    """How often the worker wants to be asked; ``programme`` leaves it to the programme's cadence."""

    PROGRAMME = "programme"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    PAUSE = "pause"


class MailState(StrEnum):
    """What we know about the worker's address."""

    GOOD = "good"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, kw_only=True)
class PermissionFacts:
    """One permission: which sites (None: all of the account), from when until when."""

    site_ids: frozenset[int] | None
    given_on: date
    valid_until: date | None
    is_withdrawn: bool


def is_permitted(*, site_id: int, permissions: Sequence[PermissionFacts], today: date) -> bool:
    """Whether any permission of the account covers this site on this day (the site's local date)."""
    return any(
        not p.is_withdrawn
        and p.given_on <= today
        and (p.valid_until is None or today <= p.valid_until)
        and (p.site_ids is None or site_id in p.site_ids)
        for p in permissions
    )
