"""Every address of the console: who may see it, who may use it, and who may know that it exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sentinel.hooks.models import WebhookEndpoint
from sentinel.people.contacts import add_contact_method
from sentinel.people.rules import ContactChannel
from sentinel.problems.models import Cause, Problem
from sentinel.web.screens.acts import ACTS
from sentinel.web.screens.storms import BY_SLUG as MANY_ACTS
from tests.web.console.stage import Stage

IN = frozenset({200, 302, 303, 409, 422})
INSIDE = ("owner", "deputy", "manager", "executive", "officer", "administrator", "analyst")
OUTSIDE = ("outsider", "other_manager")
EVERYBODY = (*INSIDE, *OUTSIDE)
ACTING = ("owner", "deputy", "manager", "executive", "officer")
CHANGING = ("owner", "deputy", "manager", "administrator")
MANAGING = ("manager", "other_manager", "executive", "officer", "administrator", "analyst")
LOOKING = ("administrator", "analyst", "manager", "other_manager", "executive")
STEERING = ("administrator",)
OFFICERS = ("officer", "executive")
ROTA = ("manager", "other_manager", "executive", "officer", "administrator")


@dataclass(frozen=True)
class Case:
    """One address and method: who gets in; of the others who may know that it exists (403), the rest 404."""

    address: Callable[[Stage], str]
    allowed: tuple[str, ...]
    known_to: tuple[str, ...] = INSIDE
    method: str = "get"
    data: dict[str, str] = field(default_factory=dict)

    def expected(self, who: str) -> frozenset[int]:
        if who in self.allowed:
            return IN
        return frozenset({403}) if who in self.known_to else frozenset({404})


def _account(tail: str = "") -> Callable[[Stage], str]:
    return lambda stage: f"/accounts/{stage.world.account.pk}/{tail}"


def _site(stage: Stage) -> str:
    return f"/accounts/{stage.world.account.pk}/sites/{stage.world.kyiv.pk}/"


def _roster(tail: str = "") -> Callable[[Stage], str]:
    return lambda stage: f"/accounts/{stage.world.account.pk}/roster/{stage.roster.pk}/{tail}"


def _worker(tail: str = "") -> Callable[[Stage], str]:
    return lambda stage: f"/workers/{stage.world.olena.pk}/{tail}"


def _withdraw(stage: Stage) -> str:
    permission = stage.world.account.permissions.get()
    return f"/accounts/{stage.world.account.pk}/permission/{permission.pk}/withdraw/"


def _fixed(address: str) -> Callable[[Stage], str]:
    return lambda _stage: address


def _act(slug: str) -> Callable[[Stage], str]:
    return lambda stage: f"/problems/{stage.reported.pk}/{slug}/"


def _acts() -> list[Case]:
    cases = []
    for act in ACTS:
        allowed = ("manager", "executive") if act.managers_only else ACTING
        cases.append(Case(_act(act.slug), allowed, method="post"))
    return cases


def _run(tail: str = "") -> Callable[[Stage], str]:
    return lambda stage: f"/mail/runs/{stage.post.run.pk}/{tail}"


def _notice(stage: Stage) -> str:
    return "/notices/1/read/"


def _way_of_owner(stage: Stage) -> str:
    """A chat of Maria's; nobody else learns that it exists."""
    found = stage.world.maria.contact_methods.first() or add_contact_method(
        user=stage.world.maria,
        channel=ContactChannel.CHAT,
        target="tgram://123456789:secretsecret/12345",
        shown="tgram://…",
        label="",
        now=stage.at,
    )
    return f"/profile/ways/{found.pk}/off/"


def _endpoint(stage: Stage) -> str:
    found = WebhookEndpoint.objects.first() or WebhookEndpoint.objects.create(
        name="Pager", shown="https://…", sealed="", kinds=["problem.opened"], created_at=stage.at
    )
    return f"/webhooks/{found.pk}/off/"


def _storm(tail: str = "") -> Callable[[Stage], str]:
    return lambda stage: f"/storms/{stage.reported.pk}/{tail}"


def _cause(tail: str = "") -> Callable[[Stage], str]:
    """A cause of the problem that everybody inside sees."""

    def address(stage: Stage) -> str:
        found = Cause.objects.first() or Cause.objects.create(
            title="The switch", created_at=stage.at, created_by=stage.world.maria
        )
        Problem.objects.filter(pk=stage.reported.pk).update(cause=found)
        return f"/causes/{found.pk}/{tail}"

    return address


EXPECTED: dict[str, list[Case]] = {
    "home": [Case(_fixed("/"), EVERYBODY)],
    "today": [Case(_fixed("/today/"), EVERYBODY)],
    "problem-list": [Case(_fixed("/problems/"), EVERYBODY)],
    "problem": [Case(lambda s: f"/problems/{s.reported.pk}/", INSIDE)],
    "call-brief": [
        Case(lambda s: f"/problems/{s.reported.pk}/call/", INSIDE),
        Case(lambda s: f"/problems/{s.reported.pk}/call/", ACTING, method="post"),
    ],
    "call-place": [Case(lambda s: f"/problems/{s.reported.pk}/call/place/", ACTING, method="post")],
    "call-line": [Case(lambda s: f"/problems/{s.reported.pk}/call/line/", INSIDE)],
    "call-hang-up": [Case(lambda s: f"/problems/{s.reported.pk}/call/hang-up/", ACTING, method="post")],
    "pass-on": [Case(lambda s: f"/problems/{s.reported.pk}/pass-on/", ACTING)],
    "problem-act": _acts(),
    "storm": [Case(_storm(), INSIDE)],
    "storm-act": [Case(_storm(f"{slug}/"), ACTING, method="post") for slug in MANY_ACTS],
    "cause": [Case(_cause(), INSIDE)],
    "cause-act": [Case(_cause(f"{slug}/"), ACTING, method="post") for slug in MANY_ACTS],
    "account-list": [Case(_fixed("/accounts/"), EVERYBODY)],
    "account": [Case(_account(), INSIDE)],
    "account-workers": [Case(_account("workers/"), INSIDE)],
    "account-problems": [Case(_account("problems/"), INSIDE)],
    "account-voices": [Case(_account("voices/"), INSIDE)],
    "account-timeline": [Case(_account("timeline/"), INSIDE)],
    "account-people": [Case(_account("people/"), CHANGING, method="post")],
    "account-hand-over": [Case(_account("hand-over/"), CHANGING, method="post")],
    "permission-grant": [Case(_account("permission/"), CHANGING, method="post")],
    "permission-withdraw": [Case(_withdraw, CHANGING, method="post")],
    "site-new": [
        Case(_account("sites/new/"), CHANGING),
        Case(_account("sites/new/"), CHANGING, method="post"),
    ],
    "site": [Case(_site, CHANGING), Case(_site, CHANGING, method="post")],
    "roster": [Case(_account("roster/"), INSIDE), Case(_account("roster/"), CHANGING, method="post")],
    "roster-preview": [Case(_roster(), CHANGING)],
    "roster-apply": [Case(_roster("apply/"), CHANGING, method="post")],
    "roster-discard": [Case(_roster("discard/"), CHANGING, method="post")],
    "worker": [Case(_worker(), INSIDE)],
    "worker-repair": [Case(_worker("repair/"), CHANGING, method="post")],
    "problem-new": [
        Case(_worker("problem/"), ACTING, known_to=(*INSIDE, "nobody")),
        Case(_worker("problem/"), ACTING, method="post"),
    ],
    "response-list": [Case(_fixed("/responses/"), EVERYBODY)],
    "response": [
        Case(lambda s: f"/responses/{s.comment.pk}/", INSIDE),
        Case(lambda s: f"/responses/{s.comment.pk}/", ACTING, method="post"),
    ],
    "please-check": [
        Case(lambda s: f"/please-check/{s.check.pk}/", INSIDE),
        Case(lambda s: f"/please-check/{s.check.pk}/", ACTING, method="post"),
    ],
    "team": [Case(_fixed("/team/"), MANAGING, known_to=EVERYBODY)],
    "simulator": [Case(_fixed("/simulator/"), EVERYBODY)],
    "rota": [Case(_fixed("/rota/"), EVERYBODY)],
    "rota-assign": [Case(_fixed("/rota/officer/"), ROTA, known_to=EVERYBODY, method="post")],
    "swap-ask": [Case(_fixed("/rota/swap/"), OFFICERS, known_to=EVERYBODY, method="post")],
    "swap-act": [
        Case(
            lambda s: f"/rota/swap/{s.swap.pk}/withdraw/",
            ("officer",),
            known_to=EVERYBODY,
            method="post",
        )
    ],
    "note-leave": [Case(_fixed("/rota/note/"), OFFICERS, known_to=EVERYBODY, method="post")],
    "absence-add": [
        Case(
            _fixed("/rota/absence/"),
            ("manager", "other_manager", "administrator"),
            known_to=EVERYBODY,
            method="post",
        )
    ],
    "absence-end": [
        Case(
            lambda s: f"/rota/absence/{s.absence.pk}/end/",
            ("deputy", "manager", "administrator"),
            known_to=EVERYBODY,
            method="post",
        )
    ],
    "health": [Case(_fixed("/health/"), LOOKING, known_to=EVERYBODY)],
    "mute-start": [
        Case(
            _fixed("/health/mute/"),
            STEERING,
            known_to=EVERYBODY,
            method="post",
            data={"mute-length": "15m", "mute-reason": "a drill"},
        )
    ],
    "mute-end": [Case(_fixed("/health/mute/end/"), STEERING, known_to=EVERYBODY, method="post")],
    "notices": [Case(_fixed("/notices/"), EVERYBODY)],
    "notices-read": [Case(_fixed("/notices/read/"), EVERYBODY, method="post")],
    "notice-read": [Case(_notice, EVERYBODY, method="post")],
    "profile": [Case(_fixed("/profile/"), EVERYBODY)],
    "profile-digest": [Case(_fixed("/profile/digest/"), EVERYBODY, method="post")],
    "profile-absence": [Case(_fixed("/profile/absence/"), EVERYBODY, method="post")],
    "hours": [Case(_fixed("/profile/hours/"), EVERYBODY)],
    "hours-quiet": [Case(_fixed("/profile/hours/quiet/"), EVERYBODY, method="post")],
    "hours-feed": [
        Case(_fixed(f"/profile/hours/feed/{act}/"), EVERYBODY, method="post") for act in ("make", "end")
    ],
    "absence-calendar": [Case(_fixed("/profile/hours/calendar/"), EVERYBODY, method="post")],
    "absence-calendar-act": [
        Case(_fixed(f"/profile/hours/calendar/{act}/"), EVERYBODY, method="post") for act in ("read", "end")
    ],
    "absence-file": [Case(_fixed("/profile/hours/file/"), EVERYBODY, method="post")],
    "absence-file-enter": [Case(_fixed("/profile/hours/file/enter/"), EVERYBODY, method="post")],
    "calendar-feed": [],  # the address is the secret: see test_calendars
    "telephone-set": [Case(_fixed("/profile/telephone/"), EVERYBODY, method="post")],
    "telephone-line": [Case(_fixed("/profile/telephone/line/"), EVERYBODY)],
    "telephone-test": [Case(_fixed("/profile/telephone/test/"), EVERYBODY, method="post")],
    "way-add": [Case(_fixed("/profile/ways/"), EVERYBODY, method="post")],
    "way-add-push": [Case(_fixed("/profile/ways/push/"), EVERYBODY, method="post")],
    "hook-list": [
        Case(_fixed("/webhooks/"), STEERING, known_to=EVERYBODY),
        Case(_fixed("/webhooks/"), STEERING, known_to=EVERYBODY, method="post"),
    ],
    "hook-act": [Case(_endpoint, STEERING, known_to=EVERYBODY, method="post")],
    "way-add-webhook": [Case(_fixed("/profile/ways/webhook/"), EVERYBODY, method="post")],
    "way-test-mail": [Case(_fixed("/profile/ways/test-mail/"), EVERYBODY, method="post")],
    "way-act": [Case(_way_of_owner, ("owner",), known_to=(), method="post")],
    "mail-home": [Case(_fixed("/mail/"), EVERYBODY)],
    "mail-runs": [Case(_fixed("/mail/runs/"), LOOKING, known_to=EVERYBODY)],
    "mail-run": [Case(_run(), LOOKING, known_to=EVERYBODY)],
    "mail-run-progress": [Case(_run("progress/"), LOOKING, known_to=EVERYBODY)],
    "mail-run-export": [Case(_run("export/"), STEERING, known_to=EVERYBODY)],
    "mail-run-act": [
        Case(_run(f"{act}/"), STEERING, known_to=EVERYBODY, method="post", data={"reason": "because"})
        for act in ("pause", "resume", "retry")
    ],
    "mail-sender-act": [
        Case(
            _fixed(f"/mail/sender/{act}/"), STEERING, known_to=EVERYBODY, method="post", data={"reason": "x"}
        )
        for act in ("pause", "resume")
    ],
    "mail-incoming": [Case(_fixed("/mail/incoming/"), EVERYBODY)],
    "mail-incoming-one": [
        Case(lambda s: f"/mail/incoming/{s.post.placed.pk}/", INSIDE),
        Case(lambda s: f"/mail/incoming/{s.post.unplaced.pk}/", STEERING, known_to=()),
        Case(lambda s: f"/mail/incoming/{s.post.placed.pk}/", (*ACTING, "administrator"), method="post"),
    ],
    "mail-raw": [Case(lambda s: f"/mail/incoming/{s.post.placed.pk}/raw/", STEERING, known_to=EVERYBODY)],
    "mail-attachment": [Case(lambda s: f"/mail/incoming/{s.post.placed.pk}/files/0/", INSIDE)],
    "mail-domains": [Case(_fixed("/mail/domains/"), LOOKING, known_to=EVERYBODY)],
    "mail-domain-act": [
        Case(
            _fixed(f"/mail/domains/{act}/"),
            STEERING,
            known_to=EVERYBODY,
            method="post",
            data={"domain": "slow.example", "reason": "because", "limit_per_minute": "12"},
        )
        for act in ("limit", "pause", "resume")
    ],
    "mail-suppressions": [Case(_fixed("/mail/left-alone/"), LOOKING, known_to=EVERYBODY)],
    "mail-suppression-add": [
        Case(_fixed("/mail/left-alone/add/"), STEERING, known_to=EVERYBODY, method="post")
    ],
    "mail-suppression-lift": [
        Case(
            lambda s: f"/mail/left-alone/{s.post.suppression.pk}/lift/",
            STEERING,
            known_to=EVERYBODY,
            method="post",
            data={"reason": "they asked again"},
        )
    ],
    "mail-brake-release": [
        Case(
            lambda s: f"/mail/brakes/{s.post.brake.pk}/release/",
            STEERING,
            known_to=EVERYBODY,
            method="post",
            data={"reason": "talked to them"},
        )
    ],
    "mail-doctor": [Case(_fixed("/mail/doctor/"), LOOKING, known_to=EVERYBODY)],
    "mail-doctor-ask": [
        Case(
            _fixed("/mail/doctor/ask/"),
            STEERING,
            known_to=EVERYBODY,
            method="post",
            data={"domain": "example.com"},
        )
    ],
    "mail-doctor-result": [
        Case(lambda s: f"/mail/doctor/{s.post.check_up.pk}/", LOOKING, known_to=EVERYBODY)
    ],
    "mail-scanners": [Case(_fixed("/mail/scanners/"), LOOKING, known_to=EVERYBODY)],
    "mailroom": [Case(_fixed("/mailroom/"), EVERYBODY)],
    "mail": [
        Case(lambda s: f"/mailroom/{s.mail.pk}/", EVERYBODY),
        Case(lambda s: f"/mailroom/{s.mail.pk}/", EVERYBODY, method="post"),
    ],
    "mail-html": [Case(lambda s: f"/mailroom/{s.mail.pk}/html/", EVERYBODY)],
    "clock": [Case(_fixed("/clock/"), EVERYBODY)],
    "clock-advance": [Case(_fixed("/clock/advance/"), EVERYBODY, method="post", data={"by": "15m"})],
    "demonstration-sign-in": [],  # for anybody, in demonstration mode only: see test_sign_in
    "styleguide": [Case(_fixed("/console/styleguide/"), ("administrator",), known_to=EVERYBODY)],
}
DEMONSTRATION_ONLY = ("mailroom", "mail", "mail-html", "clock", "clock-advance")
