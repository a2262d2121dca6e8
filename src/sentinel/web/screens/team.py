"""The team board: what is late and who has it, what climbed, what waits, who carries how much."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import HttpResponse

from sentinel.calls.models import PlacedCall
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.selectors import problems_visible_to
from sentinel.web.access import MANAGING, ConsoleRequest, screen, show
from sentinel.web.forms.fields import acting_users
from sentinel.web.reads.line import calls_seen_by
from sentinel.web.screens.problem import ACTING

MOST = 100


@dataclass(kw_only=True)
class Load:
    """What one user carries: counts of open problems they answer for."""

    user: User
    late: int = 0
    calls: int = 0
    promises: int = 0
    unconfirmed: int = 0
    highest_rung: int = 0

    @property
    def total(self) -> int:
        """All open problems this user answers for."""
        return self.calls + self.promises + self.unconfirmed


@dataclass(kw_only=True)
class Board:
    """The board of one viewer. ``calls`` go on; after the ``unlogged`` ones nobody has said how it went."""

    late: list[Duty] = field(default_factory=list)
    rungs: dict[int, int] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    quarantined: list[Duty] = field(default_factory=list)
    unconfirmed: int = 0
    total: int = 0
    calls: list[PlacedCall] = field(default_factory=list)
    unlogged: list[PlacedCall] = field(default_factory=list)


@screen(*MANAGING)
def team(request: ConsoleRequest) -> HttpResponse:
    """Managers, executives, officers, administrators and analysts, for the problems each may see.

    Who may act takes a problem over or hands it to somebody with one click.
    """
    board = _board(_duties(request), request)
    board.calls, board.unlogged = calls_seen_by(request.user, request.now)
    context = {
        "board": board,
        "may_act": request.user.has_role(*ACTING),
        "colleagues": acting_users(),
        "is_manager": request.user.has_role(Role.MANAGER),
    }
    return show(request, "web/team/page.html", context)


def _duties(request: ConsoleRequest) -> QuerySet[Duty]:
    visible = problems_visible_to(request.user, request.now).filter(state__in=[s.value for s in OPEN_STATES])
    rows = Duty.objects.filter(problem__in=visible.values("pk"))
    return rows.select_related(
        "problem__worker", "problem__site", "problem__account", "problem__owner", "accountable"
    ).order_by("-rung", "due_at")


def _board(duties: QuerySet[Duty], request: ConsoleRequest) -> Board:
    board = Board()
    loads: dict[int, Load] = {}
    for duty in duties:
        load = loads.setdefault(duty.accountable_id, Load(user=duty.accountable))
        is_waiting = duty.kind == DutyKind.ASK.value
        board.total += 1
        board.unconfirmed += is_waiting
        load.unconfirmed += is_waiting
        load.calls += duty.kind in (DutyKind.ACKNOWLEDGE.value, DutyKind.CALL.value)
        load.promises += duty.kind in (DutyKind.PROMISE.value, DutyKind.SOLVE.value)
        load.highest_rung = max(load.highest_rung, duty.rung)
        board.rungs[duty.rung] = board.rungs.get(duty.rung, 0) + 1
        if duty.quarantined_at is not None:
            board.quarantined.append(duty)
        if duty.due_at < request.now and not is_waiting:
            load.late += 1
            board.late.append(duty)
    board.late = board.late[:MOST]
    board.rungs = dict(sorted(board.rungs.items(), reverse=True))
    board.loads = sorted(loads.values(), key=lambda load: (-load.late, -load.total, load.user.name))
    return board
