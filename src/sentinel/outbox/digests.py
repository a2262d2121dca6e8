"""Who wants one mail each working morning, and up to when it told them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sentinel.outbox.models import DigestWish


def digest_wish(user_id: int) -> DigestWish:
    """What a user wants; a fresh wish for no digest when they never said."""
    return DigestWish.objects.filter(user_id=user_id).first() or DigestWish(user_id=user_id)


def set_digest_wish(*, user_id: int, wanted: bool, only_digest: bool, now: datetime) -> DigestWish:
    """Keep what a user wants. ``only_digest`` without ``wanted`` would silence them and is dropped."""
    wish, is_new = DigestWish.objects.get_or_create(user_id=user_id, defaults={"sent_until": now})
    if wanted and not wish.wanted and not is_new:
        wish.sent_until = now  # the first one tells of what happens from now on
    wish.wanted, wish.only_digest = wanted, wanted and only_digest
    wish.save()
    return wish


def told_by_digest(user_ids: Iterable[int]) -> set[int]:
    """Who wants what is not urgent in the digest only."""
    rows = DigestWish.objects.filter(user_id__in=list(user_ids), only_digest=True)
    return set(rows.values_list("user_id", flat=True))


def wishes_due(*, told_before: datetime) -> list[DigestWish]:
    """Wishes of whoever heard nothing since an instant, by user."""
    rows = DigestWish.objects.filter(wanted=True, sent_until__lt=told_before)
    return list(rows.order_by("user_id"))


def digest_sent(*, user_id: int, until: datetime) -> None:
    """Remember up to when a user's digest told."""
    DigestWish.objects.filter(user_id=user_id).update(sent_until=until)
