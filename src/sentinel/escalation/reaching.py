"""Whether the rungs of a ladder would reach anybody: asked when it is saved, for every account it governs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from sentinel.accounts.models import Account
from sentinel.accounts.rules import Tier
from sentinel.escalation.models import Ladder
from sentinel.escalation.rules import Audience, RungFacts
from sentinel.people.models import User
from sentinel.people.reach import reaches
from sentinel.people.reach_rules import Reach, rung_sentences
from sentinel.people.rules import Role, stand_in
from sentinel.people.selectors import absences_at, active_users_with_role, officer_on, users_by_id

#: More lines than this nobody reads; the list of people stands on the page Health.
MOST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class LadderReach:
    """``faults`` forbid saving the ladder, ``warnings`` are told after it was saved; finished sentences."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Staff:
    """Who answers for accounts; most accounts share theirs with many others. Ids of users."""

    owner: int
    deputy: int | None
    manager: int | None
    executive: int | None


def ladder_reach(
    *, ladder: Ladder, is_default: bool, rungs: Sequence[RungFacts], now: datetime
) -> LadderReach:
    """What is wrong with whom the rungs would tell. A fixed number of queries, however many accounts.

    A rung that would reach nobody of any account the ladder governs is a fault; one that reaches nobody of
    some accounts, or not all of its people, now or ever, is a warning.
    """
    staffs = _staffs(governed_accounts(ladder, is_default=is_default))
    if not staffs:
        return LadderReach()
    common = _Common(staffs, now)
    faults: list[str] = []
    warnings: dict[str, None] = {}
    for rung in rungs:
        refused: list[str] = []
        for staff, name in staffs.items():
            people = common.people_on(rung.audience, staff)
            lost, doubtful = rung_sentences(
                position=rung.position, audience=[common.reaches[pk] for pk in people], where=name
            )
            refused += lost
            warnings.update(dict.fromkeys((*lost, *doubtful, *common.away_on(rung, staff))))
        if refused and len(refused) == len(staffs):
            faults.append(refused[0])
    lines = list(warnings)
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"And {len(lines) - MOST_LINES} more; see Health."]
    return LadderReach(faults=tuple(faults), warnings=tuple(lines))


def governed_accounts(ladder: Ladder, *, is_default: bool) -> QuerySet[Account]:
    """The active accounts whose new problems would start with this ladder."""
    accounts = Account.objects.filter(is_active=True).order_by("name")
    if ladder.account_id is not None:
        return accounts.filter(pk=ladder.account_id)
    others = Ladder.objects.exclude(pk=ladder.pk)
    accounts = accounts.exclude(pk__in=others.filter(account__isnull=False).values("account"))
    if is_default:
        tiers = others.filter(account__isnull=True).exclude(tier="").values_list("tier", flat=True)
        return accounts.exclude(tier__in=list(tiers))
    return accounts.filter(tier=ladder.tier or Tier.STANDARD.value)


def _staffs(accounts: QuerySet[Account]) -> dict[_Staff, str]:
    """Each combination of people once, with the name of the first account that has it."""
    found: dict[_Staff, str] = {}
    rows = accounts.values_list(
        "owner_id", "deputy_id", "manager_id", "owner__manager_id", "focus_executive_id", "name"
    )
    for owner, deputy, manager, owners_manager, executive, name in rows:
        staff = _Staff(owner, deputy, manager or owners_manager, executive)
        found.setdefault(staff, name)
    return found


class _Common:
    """What all accounts share: who is away, who is officer, and the verdict about everybody involved."""

    def __init__(self, staffs: Iterable[_Staff], now: datetime) -> None:
        self.absences = absences_at(now)
        self.now = now
        self.officer = officer_on(now)
        self.executives = [user.pk for user in active_users_with_role(Role.EXECUTIVE)]
        self.administrators = [user.pk for user in active_users_with_role(Role.ADMINISTRATOR)]
        ids = {
            pk for staff in staffs for pk in (staff.owner, staff.deputy, staff.manager, staff.executive) if pk
        }
        ids |= {*self.executives, *self.administrators, *([self.officer.pk] if self.officer else [])}
        self.acting = {pk: stand_in(pk, absences=self.absences, now=now) for pk in ids}
        self.users: Mapping[int, User] = users_by_id(ids | set(self.acting.values()))
        self.reaches: dict[int, Reach] = reaches(self.users.values(), now=now)

    def people_on(self, audience: Sequence[Audience], staff: _Staff) -> list[int]:
        """The users a rung tells as :func:`sentinel.escalation.selectors.people_on` finds them."""
        acting = [self._acts(pk, staff) for part in audience for pk in self._named(part, staff)]
        present = list(dict.fromkeys(pk for pk in acting if self.users[pk].is_active))
        return present or self._named(Audience.EXECUTIVE, staff) or self.administrators

    def away_on(self, rung: RungFacts, staff: _Staff) -> list[str]:
        """Who of a rung is away now, in sentences."""
        named = dict.fromkeys(pk for part in rung.audience for pk in self._named(part, staff))
        away = [pk for pk in named if self._acts(pk, staff) != pk and self.users[pk].is_active]
        acting = [(self.users[pk], self.users[self._acts(pk, staff)]) for pk in away]
        return [f"Rung {rung.position}, now: {one} is away; {other} stands in." for one, other in acting]

    def _acts(self, pk: int, staff: _Staff) -> int:
        acting = self.acting[pk]
        if acting == pk and pk == staff.owner and staff.deputy is not None:
            return stand_in(pk, absences=self.absences, now=self.now, default_deputy_id=staff.deputy)
        return acting

    def _named(self, part: Audience, staff: _Staff) -> list[int]:
        match part:
            case Audience.OWNER:
                found = [staff.owner]
            case Audience.DEPUTY:
                found = [staff.deputy or 0]
            case Audience.MANAGER:
                found = [staff.manager or 0]
            case Audience.OFFICER:
                found = [self.officer.pk if self.officer else staff.executive or staff.manager or 0]
            case Audience.EXECUTIVE:
                executive = self.users.get(staff.executive or 0)
                found = [executive.pk] if executive and executive.is_active else self.executives
        return [pk for pk in found if pk]
