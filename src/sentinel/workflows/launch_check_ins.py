"""Check-ins that were decided go on their way: as deliveries of the day's run, or one by one.

The run of a day is the programme's run of the UTC date on which its check-ins are launched: one date
for everybody, while the windows of all time zones follow one another around the globe.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import override

from sentinel.bulk.editions import can_carry
from sentinel.bulk.errors import EditionError
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
from sentinel.ui.mime import BadAddress, CannotBeBuilt, address_of, one_line, recipient_of
from sentinel.workflows.check_in_editions import Shape, shape_of, shared_words, template_with_proofs, tidy

logger = logging.getLogger(__name__)


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
    runs, editions = _Runs(now), _Editions(now)
    singles: list[NewMessage] = []
    many: list[_Planned] = []
    for asking in askings:
        address = _carried(asking)
        edition = editions.of(asking) if address is not None else None
        if address is None or edition is None:
            singles.append(_message(asking))
        else:
            many.append(_Planned(asking, address, edition, runs.of(asking.check_in.programme)))
    enqueue(singles, now=now)
    rows = [_skipped(check_in, runs) for check_in in skipped]
    if many or rows:
        launch([*rows, *_deliveries(many)], now=now)


@dataclass(frozen=True)
class _Planned:
    """A check-in that becomes a delivery."""

    asking: Asking
    address: str
    edition: NewEdition
    run: Run


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


@dataclass
class _Editions:
    """What a group of workers shares, worded once for the group, however many there are."""

    now: datetime
    templates: dict[Shape, int] = field(default_factory=dict)
    known: dict[tuple[object, ...], NewEdition | None] = field(default_factory=dict)

    def of(self, asking: Asking) -> NewEdition | None:
        """The edition of a check-in; None when no template can be made that says the same."""
        facts = asking.facts
        group = (asking.check_in.worker.site_id, facts.programme_id, facts.language, facts.is_first)
        if group not in self.known:
            try:
                self.known[group] = self._worded(facts)
            except (EditionError, CannotBeBuilt):
                # One impossible sender or question must not keep everybody else from being asked.
                logger.exception("site %s has no edition; its check-ins go one by one", group[0])
                self.known[group] = None
        return self.known[group]

    def _worded(self, facts: QuestionFacts) -> NewEdition:
        with override(facts.language):
            worded = tidy(replace(facts, proof_words=proof_line(facts.proof, facts.language)))
        shape = shape_of(worded)
        if shape not in self.templates:
            compiled, proofs = template_with_proofs(shape)
            self.templates[shape] = store_template(
                language=shape.language, compiled=compiled, proofs=proofs, now=self.now
            )
        return NewEdition(
            template_id=self.templates[shape],
            sender=address_of("", worded.sender.address).addr_spec,
            shared=shared_words(worded),
        )


def _deliveries(many: Sequence[_Planned]) -> list[NewDelivery]:
    # By identity: a group's edition is one object, and comparing its words for each worker would cost more.
    wanted = {(planned.run.pk, id(planned.edition)): planned.edition for planned in many}
    ids: dict[tuple[int, int], int] = {}
    for run_id in sorted({run_id for run_id, _ in wanted}):
        of_run = {part: edition for (its_run, part), edition in wanted.items() if its_run == run_id}
        found = ensure_editions(run_id=run_id, editions=list(of_run.values()))
        ids |= {(run_id, part): found[edition.key] for part, edition in of_run.items()}
    return [
        NewDelivery(
            run_id=planned.run.pk,
            edition_id=ids[planned.run.pk, id(planned.edition)],
            check_in_id=planned.asking.facts.check_in_id,
            worker_id=planned.asking.facts.worker_id,
            account_id=planned.asking.check_in.worker.site.account_id,
            name=one_line(planned.asking.facts.worker_name) or "-",
            address=planned.address,
        )
        for planned in many
    ]


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
