"""Reading whether people can be reached, for many at once; the rule stands in :mod:`.reach_rules`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from sentinel.outbox.selectors import Outcome, last_outcomes, was_mailed_since
from sentinel.people.models import ContactMethod, OfficerShift, User
from sentinel.people.reach_rules import PersonFacts, Reach, WayFacts, judge_reach
from sentinel.people.rules import ADDABLE, AbsenceFacts, ContactChannel, Role, stand_in
from sentinel.people.selectors import (
    absences_at,
    active_users,
    calendar_for_telling,
    calendar_of,
    usable_ways,
    users_by_id,
)
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb

#: Who must be reachable: everybody on whom a problem can land, and who keeps Sentinel itself alive.
NEEDED = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER, Role.ADMINISTRATOR)
_NAMES = {
    ContactChannel.PUSH.value: "push",
    ContactChannel.CHAT.value: "chat",
    ContactChannel.WEBHOOK.value: "webhook",
}
_FAILED = {"failed": "was refused", "dead": "was given up"}


def reach_of(user: User, now: datetime) -> Reach:
    """The verdict about one user, with what became of the last message along each way."""
    return reaches([user], now=now, outcomes=last_outcomes(user.pk))[user.pk]


def reaches(
    users: Iterable[User], *, now: datetime, outcomes: Mapping[int | None, Outcome] | None = None
) -> dict[int, Reach]:
    """The verdict about each user; a fixed number of queries. ``outcomes`` belong to the only user asked for:
    the last message by way, None for e-mail."""
    people = list({user.pk: user for user in users}.values())
    silent, refused = switched_off_mail(people), refused_mail(people)
    rows: dict[int, list[ContactMethod]] = {}
    known = ContactMethod.objects.filter(user__in=people, channel__in=ADDABLE).exclude(sealed="")
    for method in known.order_by("rank", "pk"):
        rows.setdefault(method.user_id, []).append(method)
    absences = absences_at(now)
    names = _names_of_stand_ins(people, absences, now)
    last = outcomes or {}
    return {
        user.pk: judge_reach(
            PersonFacts(
                user_id=user.pk,
                name=str(user),
                telephone=user.telephone,
                is_active=user.is_active,
                ways=(
                    *(_way(method, last.get(method.pk)) for method in rows.get(user.pk, ())),
                    _mail(user, silent, refused, last.get(None)),
                ),
                works=calendar_of(user),
                may_ring=calendar_for_telling(user),
                away_until=_away_until(user, absences, now),
                stand_in=names.get(user.pk, ""),
            ),
            now=now,
        )
        for user in people
    }


def without_way(users: Collection[User]) -> list[User]:
    """Those of the users whom no notice reaches but on the console, in their order. At most two queries."""
    mute = without_mail(users)
    if not mute:
        return []
    ways = usable_ways([user for user in users if user.pk in mute])
    return [user for user in users if user.pk in mute and not ways.get(user.pk)]


def without_mail(users: Collection[User]) -> set[int]:
    """Who gets no notices by e-mail: switched off, or a mail server refused the address."""
    return switched_off_mail(users) | set(refused_mail(users))


def switched_off_mail(users: Collection[User]) -> set[int]:
    """Who has switched e-mail off; the console always tells."""
    return set(
        ContactMethod.objects.filter(
            user__in=users, channel=ContactChannel.EMAIL.value, is_enabled=False, address=""
        ).values_list("user_id", flat=True)
    )


def refused_mail(users: Iterable[User]) -> dict[int, str]:
    """Whose present address a mail server refused, and why. A mail that was taken since settles it."""
    return {
        user.pk: user.mail_refused_because or "no reason was given"
        for user in users
        if user.mail_refused_at is not None
        and user.mail_refused_address.lower() == user.email.lower()
        and not was_mailed_since(recipient_kind="user", recipient_id=user.pk, since=user.mail_refused_at)
    }


def people_out_of_reach(now: datetime, *, named: Q | None = None) -> list[Reach]:
    """Everybody on whom something can land and whom nothing reaches but the console, by name: by their roles,
    by a day of theirs on the rota, or because an account names them (``named``, which users). Asked every few
    seconds: whoever gets e-mail is not even read."""
    silent = ContactMethod.objects.filter(channel=ContactChannel.EMAIL.value, is_enabled=False, address="")
    on_rota = OfficerShift.objects.filter(on__gte=now.date() - timedelta(days=1))
    waited_for = (
        Q(roles__overlap=[role.value for role in NEEDED])
        | Q(pk__in=on_rota.values("officer"))
        | (named or Q(pk=None))
    )
    doubtful = Q(mail_refused_at__isnull=False) | Q(pk__in=silent.values("user"))
    lost = without_way(list(active_users().filter(waited_for, doubtful)))
    return list(reaches(lost, now=now).values()) if lost else []


def mark_mail_refused(*, user_id: int, address: str, reason: str, now: datetime) -> bool:
    """A mail server said that nobody lives at a user's address. False when that address is no longer theirs.

    E-mail comes back with another address, or when a test to this one was taken.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).filter(pk=user_id).first()
        if user is None or user.email.lower() != address.strip().lower():
            return False
        user.mail_refused_address = user.email
        user.mail_refused_at = now
        user.mail_refused_because = " ".join(reason.split())[:300]
        user.save(update_fields=["mail_refused_address", "mail_refused_at", "mail_refused_because"])
        record_event(
            verb=Verb.CONTACT_MAIL_REFUSED,
            at=now,
            actor=ENGINE,
            about=About(user_id=user.pk),
            data={"address": user.email, "reason": user.mail_refused_because},
        )
    return True


def _way(method: ContactMethod, last: Outcome | None) -> WayFacts:
    return WayFacts(
        name=method.label or _NAMES[method.channel],
        is_verified=method.verified_at is not None,
        is_enabled=method.is_enabled,
        off_because=method.off_because,
        failed=_failure(last),
    )


def _mail(user: User, silent: set[int], refused: Mapping[int, str], last: Outcome | None) -> WayFacts:
    return WayFacts(
        name="e-mail",
        is_verified=True,
        is_enabled=user.pk not in silent,
        refused_because=refused.get(user.pk, ""),
        failed=_failure(last),
    )


def _failure(last: Outcome | None) -> str:
    if last is None or last.state not in _FAILED:
        return ""
    return f"{_FAILED[last.state]} ({last.error})" if last.error else _FAILED[last.state]


def _away_until(user: User, absences: Sequence[AbsenceFacts], now: datetime) -> datetime | None:
    mine = [a.ends_at for a in absences if a.user_id == user.pk and a.starts_at <= now < a.ends_at]
    return max(mine, default=None)


def _names_of_stand_ins(
    users: Iterable[User], absences: Sequence[AbsenceFacts], now: datetime
) -> dict[int, str]:
    acting = {user.pk: stand_in(user.pk, absences=absences, now=now) for user in users}
    away = {pk: by for pk, by in acting.items() if by != pk}
    found = users_by_id(away.values())
    return {pk: str(found[by]) for pk, by in away.items() if by in found}
