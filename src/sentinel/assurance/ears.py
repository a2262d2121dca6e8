"""Whether mail can come in: the ears' own word on it, and how long it is ago."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sentinel.assurance.models import EarBeat
from sentinel.assurance.rules import Check, Seen

#: The two ways in; also how a finding and the Health screen call them.
LISTENER, MAILBOX = "listener", "mailbox"
#: An ear that was not closed, but has not been seen for so long, is not waited for any more.
_REMEMBERED = timedelta(days=7)


def note_ear(*, way: str, host: str, error: str, now: datetime) -> None:
    """A way was tried: it worked, or ``error`` says why it did not. Two statements at most."""
    tried = {"tried_at": now, "last_error": error[:500]}
    worked = {} if error else {"worked_at": now}
    EarBeat.objects.update_or_create(way=way, host=host, defaults={**tried, **worked})


def close_ear(*, way: str, host: str) -> None:
    """The ear ended on purpose: nobody need wait for it, unless a setting says that there is one."""
    EarBeat.objects.filter(way=way, host=host).delete()


def ears() -> list[EarBeat]:
    """Every way in, by machine."""
    return list(EarBeat.objects.order_by("way", "host"))


def silent_ears(*, now: datetime, since: datetime, expected: Collection[str]) -> list[Seen]:
    """How long ago each way worked on any machine. Ways are those that ``expected`` names and those that
    ever worked; nobody is asked about the time before ``since``."""
    found = [beat for beat in ears() if now - beat.tried_at < _REMEMBERED]
    seen = []
    for way in sorted({*expected, *(beat.way for beat in found)}):
        mine = [beat for beat in found if beat.way == way]
        worked = max([beat.worked_at for beat in mine if beat.worked_at], default=since)
        error = next((beat.last_error for beat in mine if beat.last_error), "")
        seen.append(Seen(check=Check.EAR_SILENT, scope=way, count=1, oldest=max(worked, since), detail=error))
    return seen
