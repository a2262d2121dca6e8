"""What decides whether a worker may be called: gathered once for the press, and once more for the ringing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings

from sentinel.accounts.selectors import calendar_of_site
from sentinel.calls.models import PlacedCall
from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.calls.rules import PlaceFacts, Provider, WhyNot, why_not
from sentinel.calls.selectors import is_talking
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.workflows.duties import back_at_work


def place_facts(problem: Problem, *, user: User, now: datetime) -> PlaceFacts:
    """The facts about a call of this user about the problem, as they stand now."""
    hosts = sip_hosts()
    country = problem.site.calendar.country
    last = problem.calls.order_by("-id").values_list("call_back_at", flat=True).first()
    return PlaceFacts(
        provider=Provider(settings.CALLS_BY.provider),
        is_open=problem.is_open,
        may_call=problem.may_call,
        worker_number=_worker_number(problem, country, hosts),
        owner_number=callable_number(user.telephone, sip_hosts=hosts),
        hours=calendar_of_site(problem.site),
        wished_at=last,
        is_talking=is_talking(problem_id=problem.pk, user=user),
        away_until=back_at_work(problem, now),
    )


def why_not_any_more(call: PlacedCall, problem: Problem, *, now: datetime) -> WhyNot | None:
    """What has come to stand against a call since it was asked for; None while it may ring."""
    facts = place_facts(problem, user=call.user, now=now)
    # Its caller is busy with this very call, and who places it was settled with the press.
    return why_not(replace(facts, provider=Provider(call.provider), is_talking=False), now=now)


def _worker_number(problem: Problem, country: str, hosts: frozenset[str]) -> str:
    """Where the worker is called. What they typed into their answer must be a telephone number: with an
    address anybody who has the link could let our exchange dial a service code or a way out."""
    known = problem.worker.telephone
    wanted = problem.call_number or known
    return callable_number(wanted, country=country, sip_hosts=hosts if wanted == known else frozenset())
