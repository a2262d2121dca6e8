"""What check-ins say, as templates and editions: the specimen, its marks, and the words editions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from sentinel.bulk.editions import compile_template, compose, specimen_sender, values_for, verify
from sentinel.bulk.services import Proof
from sentinel.checkins.messages import QuestionFacts, check_in_question
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox, newest_secret, public_token
from sentinel.ui.mail import Sender, header_words, tel_url
from sentinel.ui.mime import address_of, from_header, one_line

_AT = datetime(2021, 1, 1, 1, 1, 1, tzinfo=UTC)
_CHECK_IN, _WORKER, _DELIVERY = 2**62 + 1, 2**62 + 3, 2**62 + 7
#: Slot → the words that stand for its value in a specimen. They mean themselves in HTML and in any language.
_WORDS = {
    "name": "zqxnamexqz",
    "person": "zqxpersonxqz",
    "provider": "zqxproviderxqz",
    "site": "zqxsitexqz",
    "proof": "zqxproofxqz",
    "reply_to": "zqxreplytoxqz@zqx.invalid",
    "telephone": "+990070070071",
    "tel": "tel:+990070070071",
}
#: Words that would break a mail if anything could.
_NASTY = '..<b>O\'Brien & "Søn"</b> = =3D 100% %s {{ x }} 山田🙂 \u202eשלום ' + "long " * 30


_AS_SENT = {
    "telephone": "+49 30 (90) 18 20",
    "reply_to": "maria@provider.example",
    "address": "care@provider.example",
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What makes a template: everything about a check-in that is neither shared by slot nor a recipient's."""

    programme_id: int
    language: str
    question: str
    is_first: bool
    has_proof: bool
    has_telephone: bool


def shape_of(facts: QuestionFacts) -> Shape:
    """The shape of one check-in; ``facts.proof_words`` are worded."""
    return Shape(
        programme_id=facts.programme_id,
        language=facts.language,
        question=facts.question,
        is_first=facts.is_first,
        has_proof=bool(facts.proof_words),
        has_telephone=bool(tel_url(facts.sender.telephone)),
    )


def tidy(facts: QuestionFacts) -> QuestionFacts:
    """The facts as they are mailed: every name on one line, no number that cannot be dialled."""
    sender = facts.sender
    number = one_line(sender.telephone)
    return replace(
        facts,
        worker_name=_words(facts.worker_name),
        site_name=_words(facts.site_name),
        proof_words=one_line(facts.proof_words),
        sender=replace(
            sender,
            person=_words(sender.person),
            provider=_words(sender.provider),
            telephone=number if tel_url(number) else "",
        ),
    )


def _words(name: str) -> str:
    # A mail leaves out the line of an empty name; a template cannot.
    return one_line(name) or "-"


def shared_words(facts: QuestionFacts) -> dict[str, str]:
    """The values of the shared slots of the edition that this (tidy) check-in belongs to."""
    sender = facts.sender
    return {
        "from": from_header(sender.person, sender.address),
        "sender_domain": address_of("", sender.address).domain,
        "reply_to": str(address_of("", sender.reply_to)) if sender.reply_to else "",
        "list_name": one_line(header_words(sender.provider)),
        "person": sender.person,
        "provider": sender.provider,
        "site": facts.site_name,
        "proof": facts.proof_words,
        "telephone": sender.telephone,
        "tel": sender.tel,
    }


def payload_of(facts: QuestionFacts, *, delivery_id: int) -> dict[str, Any]:
    """The payload of a check-in that is a delivery: replies come back to an address of its own, if to us."""
    payload = check_in_question(facts).payload()
    inbound = mailbox(Purpose.REPLY_TO_DELIVERY, delivery_id, today=facts.now.date())
    return payload | {"reply_to": inbound} if inbound else payload


def verified_template(shape: Shape) -> bytes:
    """The compiled template of a shape, read back and found equal to the composed mail.

    Raises :class:`~sentinel.bulk.errors.EditionError` otherwise; then nothing of this shape is sent.
    """
    compiled, proofs = template_with_proofs(shape)
    for proof in proofs:
        verify(compiled, shared=proof.shared, values=proof.values, composed=proof.composed)
    return compiled


def template_with_proofs(shape: Shape) -> tuple[bytes, tuple[Proof, ...]]:
    """The compiled template of a shape, not yet verified, and mails to hold it against; remembered."""
    return _template_with_proofs(shape, settings.BASE_URL, settings.INBOUND_DOMAIN)


@lru_cache(maxsize=256)
def _template_with_proofs(
    shape: Shape, _base_url: str, _inbound_domain: str
) -> tuple[bytes, tuple[Proof, ...]]:
    # Both addresses are part of what every mail says, hence of the key.
    specimen = _facts(shape, {**_WORDS, "address": specimen_sender()})
    compiled = compile_template(payload_of(specimen, delivery_id=_DELIVERY), _marks(shape))
    proofs = [
        proof_of(
            tidy(_facts(shape, dict.fromkeys(_WORDS, words) | _AS_SENT)),
            delivery_id=_DELIVERY,
            address="ann@lindgren.example",
        )
        for words in ("Ann", _NASTY)
    ]
    return compiled, tuple(proofs)


def proof_of(facts: QuestionFacts, *, delivery_id: int, address: str) -> Proof:
    """One (tidy) check-in as the builder of single mails sets it, and what fills a template to say so."""
    values = values_for(
        delivery_id=delivery_id,
        check_in_id=facts.check_in_id,
        worker_id=facts.worker_id,
        name=facts.worker_name,
        address=address,
        issued_at=facts.now,
        secret=newest_secret(),
    )
    composed = compose(payload_of(facts, delivery_id=delivery_id), values, facts.now)
    return Proof(shared=shared_words(facts), values=values, composed=composed)


def _facts(shape: Shape, words: Mapping[str, str]) -> QuestionFacts:
    return QuestionFacts(
        check_in_id=_CHECK_IN,
        programme_id=shape.programme_id,
        worker_id=_WORKER,
        worker_name=words["name"],
        language=shape.language,
        site_name=words["site"],
        sender=Sender(
            person=words["person"],
            address=words["address"],
            provider=words["provider"],
            reply_to=words["reply_to"],
            telephone=words["telephone"] if shape.has_telephone else "",
        ),
        question=shape.question,
        is_first=shape.is_first,
        now=_AT,
        proof_words=words["proof"] if shape.has_proof else "",
    )


def _marks(shape: Shape) -> dict[str, str]:
    day = _AT.date()
    absent = {"proof"} if not shape.has_proof else set()
    absent |= {"telephone", "tel"} if not shape.has_telephone else set()
    return {name: mark for name, mark in _WORDS.items() if name not in absent} | {
        "answer": public_token(Purpose.ANSWER, _CHECK_IN, today=day),
        "preferences": public_token(Purpose.PREFERENCES, _WORKER, today=day),
        "unsubscribe": public_token(Purpose.UNSUBSCRIBE, _WORKER, today=day),
        "reply": public_token(Purpose.REPLY_TO_DELIVERY, _DELIVERY, today=day),
    }
