"""Changing the ways to reach a user. Each belongs to its user alone: nobody enters or tests one for another.

A new way carries nothing but its code until the code was typed back. Codes rest hashed with the secret
key, expire, and allow few tries; a way that is gone for good is switched off by the engine.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from sentinel.kernel.errors import NotFound
from sentinel.people.errors import ContactRefused
from sentinel.people.models import ContactCode, ContactMethod, User
from sentinel.people.rules import ADDABLE, ContactChannel
from sentinel.people.sealing import seal_target
from sentinel.people.services import actor_of
from sentinel.timeline.services import ENGINE, About, Actor, record_event
from sentinel.timeline.verbs import Verb

CODE_LIVES = timedelta(minutes=15)
CODE_TRIES = 5
CODES_PER_METHOD = 10
MOST_METHODS = 12


def add_contact_method(
    *, user: User, channel: ContactChannel, target: str, shown: str, label: str, now: datetime
) -> ContactMethod:
    """Enter a way, not verified yet. ``target`` is sealed; ``shown`` is what people see of it.

    Raises ContactRefused for a way that the user has already, and for too many.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        mine = ContactMethod.objects.filter(user=user)
        fingerprint = salted_hmac("sentinel.contact.target", target, algorithm="sha256").hexdigest()
        if mine.filter(channel=channel.value, fingerprint=fingerprint).exists():
            raise ContactRefused("contact_known", "You have entered this one already.")
        if mine.count() >= MOST_METHODS:
            raise ContactRefused("contact_too_many", f"{MOST_METHODS} ways are enough; remove one first.")
        method = ContactMethod.objects.create(
            user=user,
            channel=channel.value,
            address=shown[:320],
            label=label.strip()[:60],
            sealed=seal_target(target, channel=channel.value),
            fingerprint=fingerprint,
            rank=(ADDABLE.index(channel) + 1) * 10,
        )
        _record(Verb.CONTACT_ADDED, method, actor=actor_of(user), now=now)
    return method


def issue_code(*, method: ContactMethod, now: datetime) -> tuple[str, int]:
    """A fresh code for a way, and the how manieth it is; the one before is void.

    Six digits, kept as a keyed hash. Raises ContactRefused when too many were sent already.
    """
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction.atomic():
        row = ContactCode.objects.select_for_update().filter(method=method).first() or ContactCode(
            method=method, number=0
        )
        if row.number >= CODES_PER_METHOD:
            raise ContactRefused(
                "code_too_many", "Too many codes were sent there; remove it and add it again."
            )
        row.number += 1
        row.digest, row.tries = _digest(method, code), 0
        row.sent_at, row.expires_at = now, now + CODE_LIVES
        row.save()
    return code, row.number


def verify_contact_method(*, method_id: int, user: User, code: str, now: datetime) -> ContactMethod:
    """The user typed the code that came through a way: from now on it carries notices.

    Raises ContactRefused for a wrong, old or used-up code; every wrong try counts, whatever follows.
    """
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True)
        if method.verified_at is not None:
            return method
        row = ContactCode.objects.select_for_update().filter(method=method).first()
        wrong = _why_wrong(row, method, code, now)
        if not wrong and row is not None:
            method.verified_at = now
            method.save(update_fields=["verified_at"])
            row.delete()
            _record(Verb.CONTACT_VERIFIED, method, actor=actor_of(user), now=now)
    # Raised outside of the transaction, so that the try stays counted.
    if wrong:
        raise ContactRefused("code_wrong", wrong)
    return method


def _why_wrong(row: ContactCode | None, method: ContactMethod, code: str, now: datetime) -> str:
    if row is None or now >= row.expires_at:
        return "This code is too old; send a new one."
    if row.tries >= CODE_TRIES:
        return "Too many wrong tries; send a new code."
    if not constant_time_compare(row.digest, _digest(method, "".join(code.split()))):
        row.tries += 1
        row.save(update_fields=["tries"])
        return "That is not the code that was sent."
    return ""


def switch_contact_method(*, method_id: int, user: User, is_enabled: bool, now: datetime) -> ContactMethod:
    """Let a way carry notices, or not for now."""
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True)
        if method.is_enabled != is_enabled:
            method.is_enabled, method.off_because = is_enabled, ""
            method.save(update_fields=["is_enabled", "off_because"])
            _record(Verb.CONTACT_SWITCHED, method, actor=actor_of(user), now=now, on=is_enabled)
    return method


def switch_off_lost_method(*, method_id: int, reason: str, now: datetime) -> bool:
    """The engine learned that nobody is reached this way any more. False when it was off already."""
    with transaction.atomic():
        method = ContactMethod.objects.select_for_update(of=("self",)).filter(pk=method_id).first()
        if method is None or not method.is_enabled:
            return False
        method.is_enabled, method.off_because = False, reason[:300]
        method.save(update_fields=["is_enabled", "off_because"])
        _record(Verb.CONTACT_SWITCHED, method, actor=ENGINE, now=now, on=False, reason=reason[:300])
    return True


def prefer_contact_method(*, method_id: int, user: User) -> None:
    """Try this way before all others of the user."""
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True)
        first = ContactMethod.objects.filter(user=user).order_by("rank").values_list("rank", flat=True)[0]
        method.rank = first - 1
        method.save(update_fields=["rank"])


def remove_contact_method(*, method_id: int, user: User, now: datetime) -> None:
    """Forget a way and its secret."""
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True)
        _record(Verb.CONTACT_REMOVED, method, actor=actor_of(user), now=now)
        method.delete()


def own_method(*, method_id: int, user: User, lock: bool = False) -> ContactMethod:
    """A way of this user; NotFound for that of anybody else."""
    rows = ContactMethod.objects.select_for_update() if lock else ContactMethod.objects.all()
    method = rows.filter(pk=method_id, user=user).exclude(sealed="").first()
    if method is None:
        raise NotFound("contact_unknown", "There is no such way of yours.")
    return method


def record_test(*, method: ContactMethod | None, user: User, now: datetime) -> None:
    """Write down that a user sent themselves a test; None is e-mail."""
    data = {"channel": method.channel, "address": method.address} if method else {"channel": "email"}
    record_event(
        verb=Verb.CONTACT_TESTED, at=now, actor=actor_of(user), about=About(user_id=user.pk), data=data
    )


def _digest(method: ContactMethod, code: str) -> str:
    return salted_hmac("sentinel.contact.code", f"{method.pk}:{code}", algorithm="sha256").hexdigest()


def _record(verb: Verb, method: ContactMethod, *, actor: Actor, now: datetime, **data: object) -> None:
    said = {"channel": method.channel, "address": method.address, "label": method.label, **data}
    record_event(verb=verb, at=now, actor=actor, about=About(user_id=method.user_id), data=said)
