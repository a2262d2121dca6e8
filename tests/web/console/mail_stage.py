"""The mail side of the console's stage: a run, mail that came in, domains, and whom we leave alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery, DomainLane, Edition, Run, Template
from sentinel.bulk.states import DeliveryState
from sentinel.inbound.models import Attachment, IncomingMail
from sentinel.inbound.sealing import seal
from sentinel.inbound.states import IncomingState, Outcome, ThreadKey
from sentinel.standing.models import Brake, CheckUp, ScannerHabit, Suppression
from sentinel.standing.states import SuppressedBecause
from tests.world import World

#: The smallest picture there is: one transparent point.
PICTURE = bytes.fromhex(
    "47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b"
)
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
FINDINGS = [
    {
        "check": "spf",
        "grade": "bad",
        "title": "No SPF record",
        "what_to_do": 'Publish: example.com. TXT "v=spf1 include:relay.example ~all"',
        "evidence": "TXT example.com: nothing",
    },
    {"check": "dmarc", "grade": "good", "title": "DMARC is in order", "what_to_do": "", "evidence": ""},
]


@dataclass(kw_only=True)
class MailStage:
    """What stands on the mail screens."""

    run: Run
    unplaced: IncomingMail
    placed: IncomingMail
    foreign: IncomingMail
    lane: DomainLane
    suppression: Suppression
    brake: Brake
    check_up: CheckUp


def set_mail_stage(world: World) -> MailStage:
    """Put something on every mail screen."""
    placed = _mail(world, worker=world.olena, words="The second tray jams again, see the picture.")
    _file(placed, 0, "tray.gif", "image/gif", PICTURE)
    _file(placed, 1, "plan.svg", "image/svg+xml", SCRIPT)
    Attachment.objects.create(
        mail=placed, position=2, name="film.mov", sniffed_type="video/quicktime", size=40_000_000,
        digest="0" * 64, refused="too large", content=b"",
    )  # fmt: skip
    return MailStage(
        run=_run(world),
        unplaced=_mail(world, worker=None, words="Who is responsible for the coffee machine?"),
        placed=placed,
        foreign=_mail(world, worker=world.other_worker, words="Nobody else may read this."),
        lane=DomainLane.objects.create(
            domain="blocked.example",
            paused_at=world.now,
            paused_reason="554 5.7.1 blocked by policy",
            changed_at=world.now,
        ),
        suppression=Suppression.objects.create(
            address="leave@lindgren.example",
            because=SuppressedBecause.REQUEST.value,
            note="By telephone, Friday",
            since=world.now,
        ),
        brake=Brake.objects.create(
            account_id=world.other_account.pk, set_at=world.now, complaints=3, delivered=640
        ),
        check_up=_check_up(world),
    )


def _run(world: World) -> Run:
    run = Run.objects.create(
        programme_id=world.programme.pk,
        day=world.now.date(),
        name=f"Check-ins of {world.now:%-d %B %Y}",
        created_at=world.now,
        total=4, sent=1, failed=1, skipped=1,
    )  # fmt: skip
    template = Template.objects.create(key="k", language="en", compiled=b"", created_at=world.now)
    edition = Edition.objects.create(run=run, template=template, key="e", sender="s@example.com", shared={})
    states = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.PENDING)
    workers = list(Worker.objects.filter(site__account=world.account).order_by("pk"))[:3]
    for worker, state in zip(workers, states, strict=True):
        is_over = state is not DeliveryState.PENDING
        Delivery.objects.create(
            run=run,
            edition=edition,
            check_in_id=900_000 + worker.pk,
            worker_id=worker.pk,
            account_id=world.account.pk,
            name=worker.name,
            address=worker.email,
            domain="lindgren.example",
            issued_at=world.now,
            next_at=world.now,
            state=state.value,
            attempts=int(is_over),
            settled_at=world.now if is_over else None,
            code=550 if state is DeliveryState.FAILED else None,
            enhanced="5.2.2" if state is DeliveryState.FAILED else "",
            answer="mailbox is full" if state is DeliveryState.FAILED else "",
        )
    return run


def _mail(world: World, *, worker: Worker | None, words: str) -> IncomingMail:
    is_placed = worker is not None
    raw = f"From: somebody@example.net\r\n\r\n{words}\r\n".encode()
    digest = hashlib.sha256(raw).hexdigest()
    return IncomingMail.objects.create(
        received_at=world.now - timedelta(minutes=5),
        source="smtp",
        envelope_from=worker.email if worker else "somebody@example.net",
        envelope_to="care@in.sentinel.example",
        digest=digest,
        size=len(raw),
        raw=seal(raw, digest=digest),
        state=IncomingState.DONE.value if is_placed else IncomingState.PERSON.value,
        next_at=world.now,
        read_at=world.now,
        kind="human",
        reasons=["nothing says that a machine wrote it"],
        thread=ThreadKey.TOKEN.value if is_placed else ThreadKey.NONE.value,
        is_from_worker=True if is_placed else None,
        from_address=worker.email if worker else "somebody@example.net",
        from_name=worker.name if worker else "",
        subject="Re: Do you have any problem?" if is_placed else "Coffee",
        words=words,
        full_text=f"{words}\n\n> Do you have any problem, comment or suggestion for us?",
        language="en",
        outcome=Outcome.WORDS_JOINED.value if is_placed else Outcome.UNPLACED.value,
        account_id=worker.site.account_id if worker else None,
        worker_id=worker.pk if worker else None,
    )


def _file(mail: IncomingMail, position: int, name: str, kind: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    Attachment.objects.create(
        mail=mail,
        position=position,
        name=name,
        declared_type=kind,
        sniffed_type=kind,
        size=len(content),
        digest=digest,
        content=seal(content, digest=digest),
    )


def _check_up(world: World) -> CheckUp:
    ScannerHabit.objects.create(
        domain="gateway.example",
        first_seen_at=world.now,
        last_seen_at=world.now,
        opened=14,
        opened_at_once=9,
        both_faces=2,
        presses_set_aside=3,
        human_answers=7,
    )
    return CheckUp.objects.create(
        domain="example.com", asked_at=world.now, done_at=world.now, findings=FINDINGS
    )
