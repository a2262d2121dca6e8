"""Writing mail as the cast would, and dropping it at Sentinel's door."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery, Edition, Run, Template
from sentinel.bulk.states import DeliveryState
from sentinel.checkins.models import CheckIn
from sentinel.inbound.keeping import keep_mail
from sentinel.inbound.models import IncomingMail
from sentinel.kernel.links import Purpose
from sentinel.outbox.selectors import MessageView
from sentinel.people.models import User
from sentinel.ui.links import mailbox, public_token
from tests.world import World

DOMAIN = "in.sentinel.example"
FROM = "sentinel@example.com"


def deliver(world: World, worker: Worker | None = None, *, about: int | None = None) -> Delivery:
    """A check-in that went out as a delivery of today's run."""
    worker = worker or world.olena
    check_in = world.check_in(worker)
    if about is not None:
        CheckIn.objects.filter(pk=check_in.pk).update(about_problem_id=about)
    run, _ = Run.objects.get_or_create(
        programme_id=world.programme.pk,
        day=world.now.date(),
        defaults={"name": "Check-in", "created_at": world.now},
    )
    template, _ = Template.objects.get_or_create(
        key="k", defaults={"language": "en", "compiled": b"x", "created_at": world.now}
    )
    edition, _ = Edition.objects.get_or_create(
        run=run, key="e", defaults={"template": template, "sender": FROM, "shared": {}}
    )
    return Delivery.objects.create(
        run=run,
        edition=edition,
        check_in_id=check_in.pk,
        worker_id=worker.pk,
        account_id=worker.site.account_id,
        name=worker.name,
        address=worker.email,
        domain=worker.email.rpartition("@")[2],
        issued_at=world.now,
        next_at=world.now,
        state=DeliveryState.SENT.value,
        attempts=1,
        settled_at=world.now,
    )


def box(world: World, purpose: Purpose, subject_id: int) -> str:
    """One of our signed addresses, as it stands in mail sent today."""
    return mailbox(purpose, subject_id, today=world.now.date())


def reply_box(world: World, to: Delivery | MessageView) -> str:
    """Where a reply to this mail of ours goes."""
    purpose = Purpose.REPLY_TO_DELIVERY if isinstance(to, Delivery) else Purpose.REPLY_TO_MESSAGE
    return box(world, purpose, to.pk if isinstance(to, Delivery) else to.id)


def bounce_box(world: World, to: Delivery | MessageView) -> str:
    """Where reports about this mail of ours go."""
    purpose = Purpose.BOUNCE_OF_DELIVERY if isinstance(to, Delivery) else Purpose.BOUNCE_OF_MESSAGE
    return box(world, purpose, to.pk if isinstance(to, Delivery) else to.id)


def message_id_of(world: World, to: Delivery) -> str:
    """The Message-ID a delivery carries."""
    token = public_token(Purpose.REPLY_TO_DELIVERY, to.pk, today=world.now.date())
    return f"rd-{token}@example.com"


def written(
    world: World,
    text: str,
    *,
    to: str,
    sender: str,
    subject: str = "Re: Your question",
    files: tuple[tuple[str, str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    """A mail as a plain mail program writes it; underscores in ``headers`` are hyphens."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(world.now)
    mail["Message-ID"] = f"<{abs(hash((text, to, sender, world.now)))}@client.example>"
    for name, value in headers.items():
        name = name.replace("_", "-")
        del mail[name]
        mail[name] = value
    mail.set_content(text)
    for name, kind, content in files:
        maintype, _, subtype = kind.partition("/")
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return mail.as_bytes()


def drop(world: World, raw: bytes, *, to: str, sender: str, source: str = "smtp") -> IncomingMail:
    """Keep a mail as the ear does, without reading it."""
    kept = keep_mail(raw=raw, envelope_from=sender, envelope_to=to, source=source, now=world.now)
    return IncomingMail.objects.get(pk=kept.id)


def read(world: World, mail: IncomingMail) -> IncomingMail:
    """Let the engine do what is due, and look at the mail again."""
    world.tick()
    return IncomingMail.objects.get(pk=mail.pk)


def reply(
    world: World,
    to: Delivery | MessageView,
    text: str,
    *,
    by: Worker | User | str | None = None,
    files: tuple[tuple[str, str, bytes], ...] = (),
    **headers: str,
) -> IncomingMail:
    """Somebody (Olena, unless told) replies to a mail of ours, and the engine reads it."""
    by = world.olena if by is None else by
    sender = by if isinstance(by, str) else by.email
    address = reply_box(world, to)
    raw = written(world, text, to=address, sender=sender, files=files, **headers)
    return read(world, drop(world, raw, to=address, sender=sender))


def later(world: World, **delta: float) -> None:
    """Time passes without anybody doing anything."""
    world.clock.set(world.now + timedelta(**delta))
