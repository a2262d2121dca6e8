"""Every mail of the corpus through the door and the engine's own pass: none lost, none trusted too far.

Each one meets the same cast: Olena was sent a check-in, one problem of hers was proposed as solved, one
is closed. What it sets in motion is looked at and then taken back, so that all meet the same world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from sentinel.bulk.models import Delivery
from sentinel.checkins.models import Programme
from sentinel.engine.passes import read_mail
from sentinel.inbound.keeping import keep_mail
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.kernel.links import Purpose
from sentinel.outbox.selectors import MessageView, messages_to
from sentinel.problems.models import Confirmation, Problem
from sentinel.problems.rules import How, Verdict
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.ui.links import public_token
from sentinel.workflows.record_verdict import record_verdict
from tests.corpus import BASE_URL, INBOUND_DOMAIN, SENDER, WORKER, CorpusMail, large, load
from tests.stories.acts import bring_to_proposal
from tests.stories.mail import bounce_box, box, deliver, message_id_of, reply_box
from tests.world import World, build_world

PROVEN = ("token", "verp", "link", "references")
CLOSING = (Verb.PROBLEM_OPENED, Verb.PROBLEM_REOPENED, Verb.PROBLEM_CONFIRMED, Verb.CONFIRMATION_OBJECTED)


@dataclass(frozen=True)
class Scene:
    """What the corpus meets."""

    world: World
    delivery: Delivery
    asked: MessageView
    receipt: MessageView
    proposed: Problem
    closed: Problem


@pytest.fixture
def scene(db: None, settings: Settings) -> Iterator[Scene]:
    settings.INBOUND_DOMAIN, settings.BASE_URL = INBOUND_DOMAIN, BASE_URL
    world = build_world()
    Programme.objects.update(sender_address=SENDER)
    closed = world.frown("The scanner is broken")
    world.tick()
    bring_to_proposal(world, closed)
    record_verdict(
        proposal_id=world.proposal(closed).pk, verdict=Verdict.YES, human=True, how=How.LINK, now=world.now
    )
    proposed = world.frown("The printer on floor 2 eats every page")
    world.tick()
    bring_to_proposal(world, proposed)
    world.tick()
    yield Scene(
        world=world,
        delivery=deliver(world),
        asked=about(world, proposed, "problem.ask"),
        receipt=about(world, closed, "problem.receipt"),
        proposed=proposed,
        closed=closed,
    )
    clock.install(SystemClock())


def about(world: World, problem: Problem, kind: str) -> MessageView:
    rows = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind=kind)
    return next(m for m in rows if m.problem_id == problem.pk)


def places(scene: Scene, *, answers_closed: bool = False) -> dict[str, str]:
    """What the placeholders stand for. ``answers_closed``: the mail answered is about the closed problem."""
    world, today = scene.world, scene.world.now.date()
    to = scene.receipt if answers_closed else scene.asked
    subjects = {
        "answer": (Purpose.ANSWER, scene.delivery.check_in_id),
        "confirm": (Purpose.CONFIRM, world.proposal(scene.proposed).pk),
        "problem": (Purpose.PROBLEM, scene.proposed.pk),
        "preferences": (Purpose.PREFERENCES, world.olena.pk),
        "unsubscribe": (Purpose.UNSUBSCRIBE, world.olena.pk),
    }
    tokens = {f"{name}_token": public_token(*about, today=today) for name, about in subjects.items()}
    return tokens | {
        "reply": reply_box(world, scene.delivery),
        "reply_message": reply_box(world, to),
        "bounce": bounce_box(world, scene.delivery),
        "bounce_message": bounce_box(world, to),
        "unsubscribe": box(world, Purpose.UNSUBSCRIBE, world.olena.pk),
        "message_id": message_id_of(world, scene.delivery),
        "answer_url": f"{BASE_URL}/a/{tokens['answer_token']}/frown/",
        "from": SENDER,
        "worker": WORKER,
    }


@dataclass(frozen=True)
class Happened:
    """What one mail did to the world."""

    mail: IncomingMail
    opened: int
    reopened: bool
    confirmed: bool


def happen(scene: Scene, mail: CorpusMail) -> Happened:
    """Let one mail through the door and the engine's pass."""
    now = scene.world.now
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    confirmations = Confirmation.objects.count()
    kept = keep_mail(
        raw=mail.raw,
        envelope_from=mail.envelope_from,
        envelope_to=mail.envelope_to,
        source="smtp",
        now=now,
    )
    assert read_mail.run(now) == 1, mail.name
    verbs = list(Event.objects.filter(pk__gt=last).values_list("verb", flat=True))
    return Happened(
        mail=IncomingMail.objects.get(pk=kept.id),
        opened=verbs.count(Verb.PROBLEM_OPENED.value),
        reopened=Verb.PROBLEM_REOPENED.value in verbs or Verb.CONFIRMATION_OBJECTED.value in verbs,
        confirmed=Confirmation.objects.count() > confirmations and Verb.PROBLEM_CONFIRMED.value in verbs,
    )


def faults(mail: CorpusMail, did: Happened) -> Iterator[str]:
    """What must not have happened, or should have."""
    expected, row = mail.expected, did.mail
    if row.state not in (IncomingState.DONE.value, IncomingState.PERSON.value) or row.read_at is None:
        yield f"is {row.state}"
    if row.outcome in ("", Outcome.FAILED.value) or row.attempts:
        yield f"failed: {row.last_error or row.outcome}"
    if row.kind != expected["kind"]:
        yield f"was taken for {row.kind}, not {expected['kind']}"
    if expected["kind"] != "human" and (did.opened or did.reopened or did.confirmed):
        yield "is automatic, and opened, reopened or confirmed"
    if expected["thread"] in ("sender", "none") and (did.opened or did.reopened or did.confirmed):
        yield "proves nothing, and opened, reopened or confirmed"
    if did.confirmed and not (expected.get("verdict") == "yes" and row.is_from_worker):
        yield "confirmed, and must not"


def misunderstandings(mail: CorpusMail, did: Happened) -> Iterator[str]:
    """Where a mail that was understood did not do what its writer meant."""
    expected, outcome = mail.expected, did.mail.outcome
    if expected["kind"] != "human" or expected["thread"] not in PROVEN:
        return
    if (
        mail.envelope_to.startswith("rd-")
        and expected.get("answer") in ("problem", "frown")
        and not did.opened
    ):
        yield f"is a problem; it came to {outcome}"
    if expected.get("answer") == "happy" and did.opened:
        yield "is happy, and opened a problem"
    if expected.get("comes_back") is True and not did.reopened:
        yield f"says that it came back; it came to {outcome}"
    if expected.get("comes_back") is False and did.reopened:
        yield "does not say that it came back, and reopened"
    if "comes_back" not in expected and mail.envelope_to.startswith("rm-") and did.mail.is_from_worker:
        if expected.get("verdict") == "yes" and not did.confirmed:
            yield f"is a yes; it came to {outcome}"
        if expected.get("verdict") == "no" and not did.reopened:
            yield f"is a no; it came to {outcome}"


def wrong_with(scene: Scene, mail: CorpusMail) -> list[str]:
    """Let a mail through, say what is wrong with what it did, and take it back."""
    with transaction.atomic():
        did = happen(scene, mail)
        found = [f"{mail.name} {fault}" for fault in (*faults(mail, did), *misunderstandings(mail, did))]
        transaction.set_rollback(True)
    return found


def test_every_mail_ends_well_and_none_is_trusted_too_far(scene: Scene) -> None:
    wrong: list[str] = []
    for expects_return in (True, False):
        known = places(scene, answers_closed=expects_return)
        for mail in load(known, with_generated=False):
            if ("comes_back" in mail.expected) is expects_return:
                wrong += wrong_with(scene, mail)
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_monstrous_mails_end_well_too(scene: Scene) -> None:
    wrong = [fault for mail in large(places(scene)) for fault in wrong_with(scene, mail)]
    assert not wrong, "\n".join(wrong)
