"""Every address of the console against the whole cast: who gets in, who is refused, who learns nothing.

A new address fails here until somebody has declared who may see it and who may use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern

from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.web.urls import urlpatterns
from tests.web.console.addresses import DEMONSTRATION_ONLY, EXPECTED
from tests.web.console.stage import Stage

# Django reads long lists of choices through a cursor.
READS = re.compile(r'\(*SELECT |DECLARE "\w+" NO SCROLL CURSOR FOR SELECT ', re.IGNORECASE)
ROUTES = sorted(EXPECTED)


def _names() -> set[str]:
    return {
        pattern.name or str(pattern.pattern) for pattern in urlpatterns if isinstance(pattern, URLPattern)
    }


@pytest.fixture
def cast(stage: Stage) -> dict[str, User]:
    """Everybody who might try, by what they are to the account on the stage."""
    world = stage.world
    stranger = User.objects.create_user(
        email="viktor@example.com", name="Viktor Stranger", roles=[Role.MANAGER.value], zone="Europe/Berlin"
    )
    return {
        "owner": world.maria,
        "deputy": world.tom,
        "manager": world.petra,
        "executive": world.henrik,
        "officer": world.ines,
        "administrator": world.ada,
        "analyst": world.alan,
        "outsider": world.otto,
        "other_manager": stranger,
    }


@contextmanager
def _undone() -> Iterator[None]:
    """Whatever the request writes is taken back, so that the next one meets the same stage."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_address_says_who_may_use_it() -> None:
    assert _names() == set(EXPECTED), "declare the new address in EXPECTED, or forget the old one"


@pytest.mark.parametrize("route", ROUTES)
def test_everybody_gets_exactly_what_is_theirs(
    route: str, stage: Stage, cast: dict[str, User], settings: Any
) -> None:
    settings.DEMONSTRATION = True
    wrong = []
    for case in EXPECTED[route]:
        address = case.address(stage)
        for who, user in cast.items():
            client = Client()
            client.force_login(user)
            with _undone():
                status = getattr(client, case.method)(address, case.data).status_code
            if status not in case.expected(who):
                wrong.append(f"{case.method} {address} as {who}: {status}, not {sorted(case.expected(who))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_is_asked_to_sign_in_and_learns_nothing(route: str, stage: Stage, settings: Any) -> None:
    settings.DEMONSTRATION = True
    for case in EXPECTED[route]:
        answer = getattr(Client(), case.method)(case.address(stage), case.data)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")
        assert stage.world.olena.name not in answer.content.decode()


@pytest.mark.parametrize("route", DEMONSTRATION_ONLY)
def test_what_belongs_to_a_demonstration_does_not_exist_in_production(
    route: str, stage: Stage, cast: dict[str, User]
) -> None:
    for case in EXPECTED[route]:
        for user in (None, *cast.values()):
            client = Client()
            if user is not None:
                client.force_login(user)
            assert getattr(client, case.method)(case.address(stage), case.data).status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_get_never_writes_and_an_undeclared_method_is_refused(
    route: str, stage: Stage, cast: dict[str, User], settings: Any
) -> None:
    settings.DEMONSTRATION = True
    methods = {case.method for case in EXPECTED[route]}
    for case in EXPECTED[route]:
        client = Client()
        client.force_login(cast[case.allowed[0]])
        address = case.address(stage)
        for method in ("get", "head"):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                answer = getattr(client, method)(address)
            written = [query["sql"] for query in captured if not READS.match(query["sql"])]
            assert not written, f"{method} {address} wrote: {written[:3]}"
            assert (answer.status_code == 405) is ("get" not in methods)
        for method in ("put", "delete", "patch"):
            assert getattr(client, method)(address).status_code == 405
        if "post" not in methods:
            assert client.post(address).status_code == 405


def test_a_form_without_its_token_is_refused(stage: Stage) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.world.maria)
    assert client.post(f"/problems/{stage.reported.pk}/acknowledge/").status_code == 403


def test_what_the_outsider_owns_is_all_the_outsider_reads(stage: Stage) -> None:
    client = Client()
    client.force_login(stage.world.otto)
    names = (stage.world.account.name, stage.world.olena.name, stage.world.joao.name, stage.reported.words)
    for address in (
        "/today/",
        "/problems/?state=",
        "/accounts/",
        "/responses/?show=all",
        "/simulator/",
        "/notices/",
    ):
        page = client.get(address).content.decode()
        assert not [name for name in names if name in page], address
    for foreign in (stage.foreign.pk,):
        assert stage.world.other_worker.name in client.get(f"/problems/{foreign}/").content.decode()


def test_the_back_office_never_edits_the_loop(stage: Stage) -> None:
    request = RequestFactory().get("/admin/")
    request.user = stage.world.ada
    loop = (
        "Problem",
        "Commitment",
        "Call",
        "Proposal",
        "Confirmation",
        "Duty",
        "FrozenPolicy",
        "Event",
        "Message",
    )
    for model, options in admin.site._registry.items():
        if model.__name__ in loop:
            assert not options.has_add_permission(request), model
            assert not options.has_change_permission(request), model
            assert not options.has_delete_permission(request), model


def test_only_administrators_come_into_the_back_office(stage: Stage) -> None:
    for user, expected in ((stage.world.maria, 302), (stage.world.petra, 302), (stage.world.ada, 200)):
        client = Client()
        client.force_login(user)
        assert client.get("/admin/").status_code == expected
