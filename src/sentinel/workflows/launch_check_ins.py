"""Check-ins that were decided go on their way: as deliveries of the day's run, or one by one.

The run of a day is the programme's run of the UTC date on which its check-ins are launched: one date
for everybody, while the windows of all time zones follow one another around the globe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import override

from sentinel.bulk.editions import can_carry
from sentinel.bulk.models import Run
from sentinel.bulk.services import (
    NewDelivery,
    NewEdition,
    ensure_editions,
    ensure_run,
    launch,
    store_template,
)
from sentinel.checkins.messages import QuestionFacts, check_in_question, proof_line
from sentinel.checkins.models import CheckIn, Programme
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.ui.mime import BadAddress, address_of, one_line, recipient_of
from sentinel.workflows.check_in_editions import Shape, shape_of, shared_words, template_with_proofs, tidy


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A check-in that goes out, and what it says."""

    check_in: CheckIn
    facts: QuestionFacts


def launch_check_ins(*, askings: Sequence[Asking], skipped: Iterable[CheckIn], now: datetime) -> None:
    """Launch decided check-ins and record the skipped ones with their reason, in the caller's transaction.

    A question about an open problem is mail about that problem: it goes through the outbox, and so does
    what a template cannot carry. The check-ins come with programme and worker selected. Launching one
    again does nothing.
    """
    singles, many = [], []
    for asking in askings:
        address = _carried(asking)
        if address is None:
            singles.append(_message(asking))
        else:
            many.append((asking, address))
    enqueue(singles, now=now)
    runs = _Runs(now)
    rows = [_skipped(check_in, runs) for check_in in skipped]
    if many or rows:
        launch([*rows, *_deliveries(many, runs, now)], now=now)


@dataclass
class _Runs:
    """The day's run per programme, created when it is needed."""

    now: datetime
    known: dict[int, Run] = field(default_factory=dict)

    def of(self, programme: Programme) -> Run:
        run = self.known.get(programme.pk)
        if run is None:
            day = self.now.date()
            name = f"{programme.name}, {day:%-d %B %Y}"
            run = ensure_run(programme_id=programme.pk, day=day, name=name, now=self.now)
            self.known[programme.pk] = run
        return run


def _carried(asking: Asking) -> str | None:
    """The bare address, when the check-in can leave with the many."""
    if asking.facts.about is not None:
        return None
    try:
        address = recipient_of(asking.check_in.worker.email).addr_spec
    except BadAddress:
        return None
    return address if can_carry(address) else None


def _deliveries(many: list[tuple[Asking, str]], runs: _Runs, now: datetime) -> list[NewDelivery]:
    templates: dict[Shape, int] = {}
    # What a group shares is worded once for the group, however many there are.
    groups: dict[tuple[object, ...], NewEdition] = {}
    planned: list[tuple[NewEdition, Run, QuestionFacts, Asking, str]] = []
    for asking, address in many:
        facts, site = asking.facts, asking.check_in.worker.site_id
        group = (site, facts.programme_id, facts.language, facts.is_first)
        edition = groups.get(group)
        if edition is None:
            edition = groups[group] = _edition(facts, templates, now)
        planned.append((edition, runs.of(asking.check_in.programme), facts, asking, address))
    ids: dict[tuple[int, str], int] = {}
    for run in {run.pk: run for _, run, *_ in planned}.values():
        wanted = [edition for edition, its_run, *_ in planned if its_run.pk == run.pk]
        found = ensure_editions(run_id=run.pk, editions=wanted)
        ids |= {(run.pk, key): pk for key, pk in found.items()}
    keys = {id(edition): edition.key for edition in groups.values()}
    return [
        NewDelivery(
            run_id=run.pk,
            edition_id=ids[run.pk, keys[id(edition)]],
            check_in_id=facts.check_in_id,
            worker_id=facts.worker_id,
            account_id=asking.check_in.worker.site.account_id,
            name=one_line(facts.worker_name) or "-",
            address=address,
        )
        for edition, run, facts, asking, address in planned
    ]


def _edition(facts: QuestionFacts, templates: dict[Shape, int], now: datetime) -> NewEdition:
    with override(facts.language):
        worded = tidy(replace(facts, proof_words=proof_line(facts.proof, facts.language)))
    shape = shape_of(worded)
    if shape not in templates:
        compiled, proofs = template_with_proofs(shape)
        templates[shape] = store_template(language=shape.language, compiled=compiled, proofs=proofs, now=now)
    return NewEdition(
        template_id=templates[shape],
        sender=address_of("", worded.sender.address).addr_spec,
        shared=shared_words(worded),
    )


def _skipped(check_in: CheckIn, runs: _Runs) -> NewDelivery:
    worker = check_in.worker
    return NewDelivery(
        run_id=runs.of(check_in.programme).pk,
        edition_id=None,
        check_in_id=check_in.pk,
        worker_id=worker.pk,
        account_id=worker.site.account_id,
        name=one_line(worker.name),
        address=worker.email,
        reason=check_in.reason,
    )


def _message(asking: Asking) -> NewMessage:
    check_in, facts = asking.check_in, asking.facts
    return NewMessage(
        dedupe_key=f"check_in:{check_in.pk}",
        channel="email",
        kind="check_in.question",
        recipient_kind="worker",
        recipient_id=facts.worker_id,
        address=check_in.worker.email,
        priority=Priority.CHECK_IN,
        payload=check_in_question(facts).payload(),
        account_id=check_in.worker.site.account_id,
        problem_id=check_in.about_problem_id,
    )
