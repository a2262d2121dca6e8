"""Whether whoever places calls is there, by the word of the engines that ask."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.calls.models import ExchangeBeat
from sentinel.calls.rules import Provider

#: An engine asks once a minute; what none has asked about for so long is not known.
KNOWN_FOR = timedelta(minutes=5)
#: A machine that has not asked for so long was taken away.
_REMEMBERED = timedelta(days=7)


def note_exchange(
    *, provider: str, host: str, peer: str, answers: bool, detail: str, milliseconds: float, now: datetime
) -> None:
    """Somebody asked: it answers, or ``detail`` says why it does not."""
    known = ExchangeBeat.objects.filter(provider=provider, host=host).first()
    was_silent = known.silent_since if known is not None and known.peer == peer[:300] else None
    answered = {"answered_at": now} if answers else {}
    ExchangeBeat.objects.update_or_create(
        provider=provider,
        host=host,
        defaults={
            "peer": peer[:300],
            "tried_at": now,
            "silent_since": None if answers else was_silent or now,
            "detail": detail.replace("\0", "")[:300],
            "milliseconds": min(int(milliseconds), 2**31 - 1),
            **answered,
        },
    )


def asked_at(*, provider: str, host: str) -> datetime | None:
    """When an engine of this machine asked last."""
    return (
        ExchangeBeat.objects.filter(provider=provider, host=host).values_list("tried_at", flat=True).first()
    )


def exchange_beats(provider: str, *, now: datetime) -> list[ExchangeBeat]:
    """Who places calls as each machine with an engine sees it; none where people dial themselves."""
    if provider == Provider.TEL.value:
        return []
    rows = ExchangeBeat.objects.filter(provider=provider, tried_at__gt=now - _REMEMBERED)
    return list(rows.order_by("host"))


def silent_exchange(provider: str, *, now: datetime) -> ExchangeBeat | None:
    """The beat that says since when nobody answers any engine; None while one is answered, or nobody asks."""
    fresh = [beat for beat in exchange_beats(provider, now=now) if now - beat.tried_at < KNOWN_FOR]
    silent = [beat for beat in fresh if beat.silent_since is not None]
    if not silent or len(silent) < len(fresh):
        return None
    return max(silent, key=lambda beat: beat.silent_since or now)
