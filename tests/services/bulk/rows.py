"""A run with a few deliveries, without anybody having been judged."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from sentinel.bulk.models import Delivery, Run
from sentinel.bulk.services import (
    NewDelivery,
    NewEdition,
    ensure_editions,
    ensure_run,
    launch,
    store_template,
)
from sentinel.checkins.messages import QuestionFacts
from sentinel.ui.mail import Sender
from sentinel.workflows.check_in_editions import shape_of, shared_words, template_with_proofs, tidy
from tests.world import World

FIRST_CHECK_IN = 5_000_000


def a_run(world: World) -> Run:
    return ensure_run(programme_id=1, day=world.now.date(), name="Check-in, today", now=world.now)


def an_edition(world: World, run: Run) -> int:
    facts = tidy(
        QuestionFacts(
            check_in_id=1,
            programme_id=1,
            worker_id=1,
            worker_name="Ann",
            language="en",
            site_name="Kyiv",
            sender=Sender(
                person="Maria Schulz", address="care@p.example", provider="P", reply_to="m@p.example"
            ),
            question="Any problem?",
            is_first=False,
            now=world.now,
        )
    )
    compiled, proofs = template_with_proofs(shape_of(facts))
    template = store_template(language="en", compiled=compiled, proofs=proofs, now=world.now)
    edition = NewEdition(template_id=template, sender="care@p.example", shared=shared_words(facts))
    return ensure_editions(run_id=run.pk, editions=[edition])[edition.key]


def rows_of(
    world: World, run: Run, count: int, *, domain: str = "lindgren.example", first: int = FIRST_CHECK_IN
) -> list[NewDelivery]:
    edition = an_edition(world, run)
    return [
        NewDelivery(
            run_id=run.pk,
            edition_id=edition,
            check_in_id=first + n,
            worker_id=world.olena.pk,
            account_id=world.account.pk,
            name=f"Worker {n}",
            address=f"w{n}@{domain}",
        )
        for n in range(count)
    ]


def launched(world: World, count: int = 3, **of_rows: Any) -> list[Delivery]:
    run = a_run(world)
    with transaction.atomic():
        launch(rows_of(world, run, count, **of_rows), now=world.now)
    return list(Delivery.objects.order_by("pk"))
