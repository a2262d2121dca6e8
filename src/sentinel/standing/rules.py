"""Our standing with mail systems: addresses, complaint rates, what scanners were seen doing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Complaints per delivered check-in: from here on people are told …
ALARM_RATE = 0.002
#: … and from here on the account's check-ins stand still. Gmail counts 0.3 % as abuse.
STOP_RATE = 0.003
#: A rate needs some complaints to be one: a single angry reader among fifty is no two per cent.
FEWEST_FOR_ALARM = 2
FEWEST_FOR_STOP = 3
#: The time that complaints and deliveries are counted over.
LOOK_BACK = timedelta(days=30)

#: So many automatic presses at a domain, and a press without words counts for less there …
PRESSES_TO_DOUBT = 2
#: … when it comes this soon after the mail went out. Scanners work at delivery, people later.
AT_ONCE = timedelta(seconds=60)

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


class Complaints(StrEnum):
    """What the complaints of an account amount to."""

    FEW = "few"
    ALARM = "alarm"
    STOP = "stop"


def judge_complaints(*, complaints: int, delivered: int) -> Complaints:
    """Whether so many complaints per ``delivered`` check-ins (of the same time) need an alarm or a stop.

    Complaints about mail that was delivered earlier count against at least one delivery each.
    """
    rate = complaint_rate(complaints=complaints, delivered=delivered)
    if complaints >= FEWEST_FOR_STOP and rate >= STOP_RATE:
        return Complaints.STOP
    if complaints >= FEWEST_FOR_ALARM and rate >= ALARM_RATE:
        return Complaints.ALARM
    return Complaints.FEW


def complaint_rate(*, complaints: int, delivered: int) -> float:
    """Complaints per delivered check-in, from 0 to 1."""
    return complaints / max(delivered, complaints, 1)


def domain_of(address: str) -> str:
    """The domain of an address, lower case, in the form mail servers see; empty when there is none."""
    domain = address.strip().rpartition("@")[2].lower().rstrip(".") if "@" in address else ""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def suppressible(text: str) -> str:
    """An address ("anna@acme.example") or a domain ("@acme.example") as the list keeps it, lower case.

    Raises ValueError with a plain sentence for anything else.
    """
    cleaned = text.strip().strip("<>").lower()
    local, at, _ = cleaned.rpartition("@")
    domain = domain_of(cleaned)
    if not at or not _DOMAIN.fullmatch(domain) or any(c.isspace() or c in "<>,;" for c in local):
        raise ValueError(f"“{text.strip()}” is neither an address nor a domain like @example.com.")
    return f"{local}@{domain}"


def suppression_keys(address: str) -> tuple[str, str]:
    """The two entries of the list that forbid an address: itself, and its whole domain."""
    local = address.strip().lower().rpartition("@")[0]
    domain = domain_of(address)
    return f"{local}@{domain}", f"@{domain}"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One line of the journal of visits. ``target``: happy, frown or honeypot. ``sent_at``: of its mail."""

    id: int
    check_in_id: int
    domain: str
    at: datetime
    method: str
    target: str
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen at one domain, counted; added to its habits."""

    opened: int = 0
    opened_at_once: int = 0
    heads: int = 0
    both_faces: int = 0
    honeypots: int = 0
    presses_set_aside: int = 0
    human_answers: int = 0

    def __add__(self, other: Seen) -> Seen:
        return Seen(**{name: count + getattr(other, name) for name, count in vars(self).items()})


def seen_in(opening: Opening) -> Seen:
    """What one opening adds, looked at by itself."""
    is_early = opening.sent_at is not None and opening.at <= opening.sent_at + AT_ONCE
    return Seen(
        opened=1,
        opened_at_once=int(is_early),
        heads=int(opening.method == "HEAD"),
        honeypots=int(opening.target == "honeypot"),
    )


def completes_both_faces(openings: Iterable[Opening]) -> int | None:
    """The id of the opening with which both faces of one check-in were first open within a minute.

    ``openings``: all of one check-in. A check-in counts once, however often a scanner comes back.
    """
    last: dict[str, datetime] = {}
    for opening in sorted(openings, key=lambda o: (o.at, o.id)):
        other = {"happy": "frown", "frown": "happy"}.get(opening.target)
        if other is None:
            continue
        if other in last and opening.at - last[other] <= AT_ONCE:
            return opening.id
        last[opening.target] = opening.at
    return None


def is_doubtful_here(*, presses_set_aside: int, sent_at: datetime | None, now: datetime) -> bool:
    """Whether a press without words proves little: scanners press buttons at this domain, and it came
    before a person would have read the mail. It makes a press provisional, and never touches words."""
    return presses_set_aside >= PRESSES_TO_DOUBT and sent_at is not None and now <= sent_at + AT_ONCE
