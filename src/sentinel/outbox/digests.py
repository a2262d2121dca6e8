"""Who wants one mail each working morning, and up to when it told them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentinel.outbox.models import DigestWish


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user wants, as plain values; ``told_until``: up to when the last morning mail told."""

    user_id: int
    wanted: bool = False
    only_digest: bool = False
    told_until: datetime | None = None


def digest_wish(user_id: int) -> Wish:
    """What a user wants; no digest when they never said."""
    found = DigestWish.objects.filter(user_id=user_id).first()
    return _plain(found) if found else Wish(user_id=user_id)


def set_digest_wish(*, user_id: int, wanted: bool, only_digest: bool, now: datetime) -> Wish:
    """Keep what a user wants. ``only_digest`` without ``wanted`` would silence them and is dropped."""
    wish, _ = DigestWish.objects.get_or_create(user_id=user_id)
    if wanted and not wish.wanted:
        wish.sent_until = now  # the first one tells of what happens from now on
    wish.wanted, wish.only_digest = wanted, wanted and only_digest
    wish.save()
    return _plain(wish)


def told_by_digest(user_ids: Iterable[int]) -> set[int]:
    """Who wants what is not urgent in the morning mail only."""
    rows = DigestWish.objects.filter(user_id__in=list(user_ids), only_digest=True)
    return set(rows.values_list("user_id", flat=True))


def wanted_digests() -> list[Wish]:
    """Everybody who wants a morning mail, by user."""
    return [_plain(wish) for wish in DigestWish.objects.filter(wanted=True).order_by("user_id")]


def take_digest_turn(*, user_id: int, since: datetime | None, now: datetime) -> bool:
    """Note that a user is told up to ``now``; False when another engine did so already."""
    rows = DigestWish.objects.filter(user_id=user_id, wanted=True, sent_until=since)
    return rows.update(sent_until=now) == 1


def _plain(wish: DigestWish) -> Wish:
    return Wish(
        user_id=wish.user_id,
        wanted=wish.wanted,
        only_digest=wish.only_digest,
        told_until=wish.sent_until,
    )
