"""One picture of many problems, of a storm at one site or of one cause, and the acts on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse

from sentinel.problems.models import Cause, Problem
from sentinel.problems.rules import FEWEST_IN_STORM, OPEN_STATES
from sentinel.problems.selectors import open_causes, problems_of_cause, problems_to_act_on, storm_of
from sentinel.web.access import ConsoleRequest, done, problem_for, refusals_on, screen, show
from sentinel.web.forms.storms import CauseForm, ManyForm, PromiseAllForm, ProposeAllForm, TakeAllForm
from sentinel.web.reads.storms import Picture, picture_of
from sentinel.workflows.make_commitment import suggest_date
from sentinel.workflows.storms import Bulk, acknowledge_all, promise_all, propose_for_cause, share_cause

_OPEN = [state.value for state in OPEN_STATES]
#: A promise or a proposal needs that somebody has talked with the worker.
_TALKED = ("in_contact", "committed", "reopened")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the page shows: the problems, its title and its address."""

    rows: QuerySet[Problem]
    title: str
    where: str
    address: str
    cause: Cause | None = None


@dataclass(frozen=True, kw_only=True)
class ManyAct:
    """One act on many. ``make`` builds its form, or None when it is not offered now."""

    slug: str
    label: str
    button: str
    note: str
    make: Callable[[Scene, ConsoleRequest, Any], forms.Form | None]
    run: Callable[[ConsoleRequest, dict[str, Any]], Bulk]
    said: str


@dataclass(frozen=True, kw_only=True)
class Offered:
    """An act with its form, opened when it was asked for or went wrong."""

    act: ManyAct
    form: forms.Form
    is_open: bool


def _ids(values: dict[str, Any]) -> list[int]:
    return [problem.pk for problem in values["problems"]]


def _many(form: type[ManyForm], rows: QuerySet[Problem], data: Any, **more: Any) -> ManyForm | None:
    return form(data, rows=rows, prefix=form.__name__.lower(), **more) if rows.exists() else None


def _take_form(scene: Scene, _request: ConsoleRequest, data: Any) -> forms.Form | None:
    return _many(TakeAllForm, scene.rows.filter(state="reported"), data)


def _cause_form(scene: Scene, request: ConsoleRequest, data: Any) -> forms.Form | None:
    causes = open_causes(request.user, request.now)
    rows = scene.rows.filter(state__in=_OPEN)
    return None if scene.cause else _many(CauseForm, rows, data, causes=causes)


def _promise_form(scene: Scene, request: ConsoleRequest, data: Any) -> forms.Form | None:
    rows = scene.rows.filter(state__in=_TALKED)
    first = rows.first()
    day = suggest_date(first, user=request.user, now=request.now) if first else None
    return _many(PromiseAllForm, rows, data, initial={"due_on": day})


def _propose_form(scene: Scene, request: ConsoleRequest, data: Any) -> forms.Form | None:
    mine = problems_to_act_on(request.user, request.now).values("pk")
    rows = scene.rows.filter(state__in=_TALKED, cause__isnull=False, pk__in=mine)
    causes = Cause.objects.filter(pk__in=rows.order_by().values("cause")).order_by("pk")
    return _many(ProposeAllForm, rows, data, causes=causes)


def _acting(request: ConsoleRequest) -> dict[str, Any]:
    return {"user": request.user, "now": request.now}


def _run_cause(request: ConsoleRequest, values: dict[str, Any]) -> Bulk:
    known = values["cause"]
    return share_cause(
        problem_ids=_ids(values),
        cause_id=known.pk if known else None,
        title=values["title"],
        description=values["description"],
        **_acting(request),
    )[1]


def _run_promise(request: ConsoleRequest, values: dict[str, Any]) -> Bulk:
    told = {name: values[name] for name in ("due_on", "what", "reason")}
    return promise_all(problem_ids=_ids(values), **told, **_acting(request))


def _run_propose(request: ConsoleRequest, values: dict[str, Any]) -> Bulk:
    told = {name: values[name] for name in ("cause", "what_was_done", "root_cause")}
    return propose_for_cause(problem_ids=_ids(values), **told, **_acting(request))


ACTS: tuple[ManyAct, ...] = (
    ManyAct(
        slug="acknowledge",
        label="Acknowledge all",
        button="I have them",
        note="Each call is owed from now on, one by one.",
        make=_take_form,
        run=lambda request, values: acknowledge_all(problem_ids=_ids(values), **_acting(request)),
        said="Acknowledged",
    ),
    ManyAct(
        slug="cause",
        label="They share one cause",
        button="Say so",
        note="Each worker keeps a problem of their own; nobody is told.",
        make=_cause_form,
        run=_run_cause,
        said="Joined to the cause",
    ),
    ManyAct(
        slug="promise",
        label="Promise all the same date",
        button="Promise this date to each of them",
        note="For those somebody has talked with. Each of them is told.",
        make=_promise_form,
        run=_run_promise,
        said="Promised",
    ),
    ManyAct(
        slug="propose",
        label="Propose that the cause is gone",
        button="Ask each of them",
        note="For those somebody has talked with. Whoever is ticked is asked; only their yes closes theirs.",
        make=_propose_form,
        run=_run_propose,
        said="Asked",
    ),
)
BY_SLUG = {act.slug: act for act in ACTS}


@screen()
def storm(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may see the problem sees the storm it was reported in, as far as its problems are theirs."""
    return _page(request, _storm_scene(request, problem_id), opened=request.GET.get("open", ""))


@screen(methods=("POST",))
def storm_act(request: ConsoleRequest, problem_id: int, slug: str) -> HttpResponse:
    """One act on many, by whoever may act on the problem (403 otherwise)."""
    return _act(request, _storm_scene(request, problem_id), slug)


@screen()
def cause(request: ConsoleRequest, cause_id: int) -> HttpResponse:
    """Whoever may see one of the cause's problems sees those of them that are theirs."""
    return _page(request, _cause_scene(request, cause_id), opened=request.GET.get("open", ""))


@screen(methods=("POST",))
def cause_act(request: ConsoleRequest, cause_id: int, slug: str) -> HttpResponse:
    """One act on all problems of a cause, by whoever may act on one of them (403 otherwise)."""
    return _act(request, _cause_scene(request, cause_id), slug)


def _storm_scene(request: ConsoleRequest, problem_id: int) -> Scene:
    found = problem_for(request, problem_id)
    rows = storm_of(found, request.user, request.now)
    count = rows.count()
    title = f"{count} people report problems" if count >= FEWEST_IN_STORM else "Reported about this time"
    return Scene(
        rows=rows,
        title=title,
        where=f"{found.account.name}, {found.site.name}",
        address=reverse("storm", args=[problem_id]),
    )


def _cause_scene(request: ConsoleRequest, cause_id: int) -> Scene:
    found = Cause.objects.filter(pk=cause_id).first()
    rows = problems_of_cause(found, request.user, request.now) if found else Problem.objects.none()
    if found is None or not rows.exists():
        raise Http404("there is no such cause, or not for this viewer")
    return Scene(
        rows=rows, title=found.title, where="", address=reverse("cause", args=[cause_id]), cause=found
    )


def _act(request: ConsoleRequest, scene: Scene, slug: str) -> HttpResponse:
    chosen = BY_SLUG.get(slug)
    if chosen is None:
        raise Http404("no such act")
    if not _may_act(request, scene):
        raise PermissionDenied("who only reads cannot act")
    form = chosen.make(scene, request, request.POST)
    if form is None:
        return done(request, "There is nobody left for that.", scene.address)
    if not form.is_valid():
        return _page(request, scene, opened=slug, bound=(chosen, form), status=422)
    with refusals_on(form) as refused:
        came = chosen.run(request, form.cleaned_data)
    if refused:
        return _page(request, scene, opened=slug, bound=(chosen, form), status=refused.status)
    said = f"{chosen.said}: {came.done}."
    for one in came.missed:
        said += f" Not {one.worker_name}: {one.why}"
    return done(request, said, scene.address)


def _may_act(request: ConsoleRequest, scene: Scene) -> bool:
    mine = problems_to_act_on(request.user, request.now).values("pk")
    return scene.rows.filter(pk__in=mine).exists()


def _page(
    request: ConsoleRequest,
    scene: Scene,
    *,
    opened: str,
    bound: tuple[ManyAct, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    acts_here = _may_act(request, scene)
    offered: list[Offered] = []
    for one in ACTS if acts_here else ():
        form = bound[1] if bound and bound[0] is one else one.make(scene, request, None)
        if form is not None:
            offered.append(Offered(act=one, form=form, is_open=one.slug == opened))
    picture: Picture = picture_of(scene.rows, request.now)
    context = {"scene": scene, "picture": picture, "offered": offered, "may_act": acts_here}
    return show(request, "web/storm/page.html", context, status=status)
