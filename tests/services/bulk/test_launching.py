"""A check-in has one delivery for ever; a run counts what it holds; only verified templates are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from sentinel.bulk.errors import EditionDiffers, EditionError
from sentinel.bulk.models import Delivery, Edition, Run, Template
from sentinel.bulk.services import Proof, ensure_run, launch, store_template
from sentinel.bulk.states import DeliveryState
from tests.services.bulk.rows import a_run, rows_of
from tests.world import World


def counts(run: Run) -> tuple[int, int]:
    return Run.objects.values_list("total", "skipped").get(pk=run.pk)


def test_launching_twice_launches_once(world: World) -> None:
    run = a_run(world)
    rows = rows_of(world, run, 5)
    assert launch(rows, now=world.now) == 5
    assert launch([*rows, *rows_of(world, run, 2, first=9_000)], now=world.now) == 2
    assert counts(run) == (7, 0)
    assert Delivery.objects.count() == 7


def test_a_check_in_has_one_delivery_even_within_one_launch(world: World) -> None:
    run = a_run(world)
    (row,) = rows_of(world, run, 1)
    assert launch([row, row], now=world.now) == 1
    assert counts(run) == (1, 0)


def test_what_is_skipped_is_recorded_with_its_reason(world: World) -> None:
    run = a_run(world)
    (row,) = rows_of(world, run, 1)
    launch([replace(row, edition_id=None, reason="open_problem")], now=world.now)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (DeliveryState.SKIPPED, "open_problem")
    assert delivery.settled_at == world.now
    assert counts(run) == (1, 1)


def test_a_delivery_freezes_what_its_mail_says(world: World) -> None:
    run = a_run(world)
    (row,) = rows_of(world, run, 1, domain="Lindgren.EXAMPLE")
    launch([row], now=world.now)
    delivery = Delivery.objects.get()
    assert (delivery.domain, delivery.issued_at) == ("lindgren.example", world.now)
    assert delivery.state == DeliveryState.PENDING


def test_names_survive_whatever_they_hold(world: World) -> None:
    run = a_run(world)
    (row,) = rows_of(world, run, 1)
    name = "Zoë \\N \\. ; 'x' \t 山田"
    launch([replace(row, name=name)], now=world.now)
    assert Delivery.objects.get().name == name


def test_without_an_edition_and_without_a_reason_nothing_is_launched(world: World) -> None:
    run = a_run(world)
    (row,) = rows_of(world, run, 1)
    with pytest.raises(EditionError):
        launch([replace(row, edition_id=None)], now=world.now)


def test_many_are_launched_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel.bulk.services.launching.CHUNK", 7)
    run = a_run(world)
    assert launch(iter(rows_of(world, run, 40)), now=world.now) == 40
    assert counts(run) == (40, 0)


def test_a_programme_has_one_run_a_day(world: World) -> None:
    first = a_run(world)
    assert a_run(world).pk == first.pk
    tomorrow = world.now.date() + timedelta(days=1)
    assert ensure_run(programme_id=1, day=tomorrow, name="x", now=world.now).pk != first.pk


def test_equal_editions_of_a_run_are_one(world: World) -> None:
    run = a_run(world)
    rows_of(world, run, 1)
    rows_of(world, run, 1)
    assert Edition.objects.count() == 1
    assert Template.objects.count() == 1


def test_a_template_that_was_not_read_back_is_not_stored(world: World) -> None:
    run = a_run(world)
    rows_of(world, run, 1)
    compiled = bytes(Template.objects.get().compiled)
    Edition.objects.all().delete()
    Template.objects.all().delete()
    with pytest.raises(EditionError):
        store_template(language="en", compiled=compiled, proofs=[], now=world.now)
    wrong = Proof(shared={}, values={}, composed=b"")
    with pytest.raises((EditionDiffers, EditionError)):
        store_template(language="en", compiled=compiled, proofs=[wrong], now=world.now)
    assert not Template.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_belongs_to_the_transaction_that_decides() -> None:
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError):
        launch([], now=None)  # type: ignore[arg-type]
