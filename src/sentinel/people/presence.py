"""Everybody at one instant, read once: who is away, who stands in, who is officer, whose hours are which.

A firing asks these questions a dozen times, and a turn of the engine fires hundreds of duties at the same
instant. Whoever decides more than one thing at a time takes one :class:`PeopleAt` along; each answer is read
from the database when it is first wanted, and never twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.models import User, WorkCalendar
from sentinel.people.rules import AbsenceFacts, Role, stand_in
from sentinel.people.selectors import (
    absences_at,
    active_users_with_role,
    calendar_of,
    officer_on,
    seen_from,
    users_by_id,
)


class PeopleAt:
    """What is known of the provider's people at ``now`` (an aware instant). Lives for one decision or one
    batch of them; it does not notice what others change meanwhile."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._users: dict[int, User] = {}
        self._hours: dict[tuple[int | None, str], BusinessCalendar] = {}

    def load(self, ids: Iterable[int | None]) -> None:
        """Read those of the users that are not known yet, with one query."""
        missing = {pk for pk in ids if pk is not None} - self._users.keys()
        if missing:
            self._users.update(users_by_id(missing))

    def remember(self, *users: User | None) -> None:
        """Users that somebody has read already."""
        for user in users:
            if user is not None:
                self._users.setdefault(user.pk, user)

    def user(self, pk: int) -> User:
        """One user. Raises KeyError for an id that nobody has."""
        if pk not in self._users:
            self.load([pk])
        return self._users[pk]

    def user_or_none(self, pk: int | None) -> User | None:
        """One user of a column that may be empty."""
        return None if pk is None else self.user(pk)

    def who_acts(self, user_id: int, *, default_deputy_id: int | None = None) -> int:
        """Who acts where ``user_id`` should; see :func:`sentinel.people.selectors.who_acts`."""
        if user_id not in self._away:
            return user_id
        return stand_in(user_id, absences=self._absences, now=self.now, default_deputy_id=default_deputy_id)

    def acting(self, user: User, *, default_deputy_id: int | None = None) -> User:
        """The user, or whoever stands in for them."""
        acting = self.who_acts(user.pk, default_deputy_id=default_deputy_id)
        return user if acting == user.pk else self.user(acting)

    def hours_of(self, user: User) -> BusinessCalendar:
        """When a user works; see :func:`sentinel.people.selectors.calendar_of`."""
        key = (user.calendar_id, user.zone)
        found = self._hours.get(key)
        if found is None:
            found = self._hours[key] = calendar_of(user)
        return found

    def seen_from(self, calendar: WorkCalendar, zone: str) -> BusinessCalendar:
        """The hours of a calendar in a zone; see :func:`sentinel.people.selectors.seen_from`."""
        key = (calendar.pk, zone)
        found = self._hours.get(key)
        if found is None:
            found = self._hours[key] = seen_from(calendar, zone)
        return found

    @cached_property
    def officer(self) -> User | None:
        """The officer of the day, or whoever stands in; see :func:`sentinel.people.selectors.officer_on`."""
        return officer_on(self.now)

    @cached_property
    def executives(self) -> tuple[User, ...]:
        """Everybody with the role of an executive, by name."""
        return tuple(active_users_with_role(Role.EXECUTIVE))

    @cached_property
    def administrators(self) -> tuple[User, ...]:
        """Everybody with the role of an administrator, by name."""
        return tuple(active_users_with_role(Role.ADMINISTRATOR))

    @cached_property
    def _absences(self) -> list[AbsenceFacts]:
        return absences_at(self.now)

    @cached_property
    def _away(self) -> frozenset[int]:
        return frozenset(absence.user_id for absence in self._absences)
