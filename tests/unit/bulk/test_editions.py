"""Mails by the million: filled from a template, they read exactly like the composed one."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from sentinel.bulk.editions import (
    Filler,
    can_carry,
    compile_template,
    compose,
    envelope_sender,
    identity_of,
    specimen_sender,
    values_for,
    verify,
)
from sentinel.bulk.errors import EditionDiffers, EditionError
from sentinel.checkins.messages import QUESTIONS, QuestionFacts
from sentinel.kernel.links import Purpose
from sentinel.ui.links import newest_secret, read_mailbox, read_public_token
from sentinel.ui.mail import Sender
from sentinel.workflows.check_in_editions import (
    Shape,
    payload_of,
    proof_of,
    shape_of,
    shared_words,
    tidy,
    verified_template,
)

ISSUED = datetime(2026, 3, 10, 8, 15, 30, tzinfo=UTC)
DELIVERY, CHECK_IN, WORKER = 7_000_001, 812_345, 104_233
NASTY = (
    "<b>&amp;\"'=.</b>",
    "..",
    ".hidden",
    "From the moon",
    "=3D =\t=",
    "100 % %s %(x)s {{ y }} {% z %}",
    "🙂👩‍👩‍👧 Zoë",
    "\u202eשלום עולם",
    "山田 太郎" * 20,
    "x" * 200,
    "a " * 100,
    "a\r\nBcc: x@y.example",
    "\0\x85\u2028",
    "",
)
words = st.one_of(st.sampled_from(NASTY), st.text(max_size=200))
languages = st.sampled_from(sorted(QUESTIONS))


def question(language: str = "en", **changes: Any) -> QuestionFacts:
    plain: dict[str, Any] = {
        "person": "Maria Schulz",
        "provider": "Lumen Office Systems",
        "telephone": "+49 30 901820",
        "name": "Olena Kovalenko",
        "site": "Kyiv",
        "proof": "Last month at your site: 14 reported.",
        "is_first": False,
    } | changes
    return tidy(
        QuestionFacts(
            check_in_id=CHECK_IN,
            programme_id=3,
            worker_id=WORKER,
            worker_name=plain["name"],
            language=language,
            site_name=plain["site"],
            sender=Sender(
                person=plain["person"],
                address="care@bücher.example",
                provider=plain["provider"],
                reply_to="maria@lumen.example",
                telephone=plain["telephone"],
            ),
            question=QUESTIONS[language],
            is_first=plain["is_first"],
            now=ISSUED,
            proof_words=plain["proof"],
        )
    )


@lru_cache(maxsize=64)
def template(shape: Shape, inbound: str = "") -> bytes:
    del inbound  # part of the key: it is part of the template
    return verified_template(shape)


def values(name: str = "Olena Kovalenko", address: str = "olena@lindgren.example") -> dict[str, str]:
    return values_for(
        delivery_id=DELIVERY,
        check_in_id=CHECK_IN,
        worker_id=WORKER,
        name=name,
        address=address,
        issued_at=ISSUED,
        secret=newest_secret(),
    )


def filled(facts: QuestionFacts, **of_recipient: str) -> bytes:
    recipient = values(**({"name": facts.worker_name} | of_recipient))
    return Filler(template(shape_of(facts)), shared_words(facts)).fill(recipient)


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=default_policy)


@settings(max_examples=150)
@given(
    language=languages,
    is_first=st.booleans(),
    name=words,
    person=words,
    provider=words,
    site=words,
    proof=words,
    telephone=st.sampled_from(["", "+49 30 901820", "<+1 (555)> 0100 ext. 5", "call me"]),
)
def test_every_mail_reads_like_the_composed_one(language: str, **changes: Any) -> None:
    facts = question(language, **changes)
    proof = proof_of(facts, delivery_id=DELIVERY, address="olena@lindgren.example")
    verify(template(shape_of(facts)), shared=proof.shared, values=proof.values, composed=proof.composed)


@settings(max_examples=150)
@given(name=words, site=words)
def test_lines_are_short_whole_and_never_begin_with_a_dot(name: str, site: str) -> None:
    content = filled(question(name=name, site=site))
    assert content.isascii()
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    body = lines[lines.index(b"") :]
    assert max(len(line) for line in body if not line.startswith(b"Content-")) <= 76


@pytest.mark.parametrize("inbound", ["", "in.sentinel.example"])
@pytest.mark.parametrize("language", sorted(QUESTIONS))
def test_the_headers_say_who_what_and_how_to_leave(language: str, inbound: str, settings: Settings) -> None:
    settings.INBOUND_DOMAIN = inbound
    facts = question(language)
    compiled = template(shape_of(facts), inbound)
    recipient = values()
    mail = parsed(Filler(compiled, shared_words(facts)).fill(recipient))
    assert mail["From"] == "Maria Schulz <care@xn--bcher-kva.example>"
    assert mail["To"] == "olena@lindgren.example"
    assert mail["Subject"] == QUESTIONS[language]
    assert mail["Date"] == "Tue, 10 Mar 2026 08:15:30 +0000"
    assert mail["Message-ID"] == f"<{identity_of(recipient['reply'])}@xn--bcher-kva.example>"
    assert mail["Content-Language"] == language
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Feedback-ID"] == "3:check-in:sentinel"
    assert mail["List-Id"].startswith('"Lumen Office Systems" <check-in-3.')
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click, *boxes = mail["List-Unsubscribe"].split(", ")
    token = one_click.split("/")[-3]
    assert read_public_token(token, Purpose.UNSUBSCRIBE, today=ISSUED.date()) == WORKER
    if inbound:
        assert [read_mailbox(box[8:-1], today=ISSUED.date()) for box in boxes] == [
            (Purpose.UNSUBSCRIBE, WORKER)
        ]
        reply = (Purpose.REPLY_TO_DELIVERY, DELIVERY)
        assert read_mailbox(mail["Reply-To"], today=ISSUED.date()) == reply
        bounce = envelope_sender(recipient, sender="care@x.example", inbound_domain=inbound)
        assert read_mailbox(bounce, today=ISSUED.date()) == (Purpose.BOUNCE_OF_DELIVERY, DELIVERY)
    else:
        assert mail["Reply-To"] == "maria@lumen.example"
        assert envelope_sender(recipient, sender="care@x.example", inbound_domain="") == "care@x.example"


def test_both_faces_the_trap_and_the_preferences_lead_to_this_recipient() -> None:
    facts, recipient = question(), values()
    mail = parsed(filled(facts))
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        for path in ("happy", "frown"):
            assert f"/a/{recipient['answer']}/{path}/" in text
        assert f"/s/{recipient['preferences']}/" in text
        assert f"/u/{recipient['unsubscribe']}/" in text
        assert "zqx" not in text
    assert read_public_token(recipient["answer"], Purpose.ANSWER, today=ISSUED.date()) == CHECK_IN


def test_equal_values_give_equal_bytes() -> None:
    assert filled(question()) == filled(question())


@pytest.mark.parametrize("header", ["to", "date", "reply", "answer", "unsubscribe"])
@pytest.mark.parametrize("value", ["a@b.example\r\nBcc: x@y.example", "a@b\n", "ä@b.example", "a\0b"])
def test_no_value_adds_a_header(header: str, value: str) -> None:
    filler = Filler(template(shape_of(question())), shared_words(question()))
    with pytest.raises(EditionError):
        filler.fill(values() | {header: value})


@pytest.mark.parametrize("value", ["Ann\r\nBcc: x@y.example", "Ann\n"])
def test_no_shared_value_adds_a_header(value: str) -> None:
    with pytest.raises(EditionError):
        Filler(template(shape_of(question())), shared_words(question()) | {"from": value})


def test_an_edition_without_a_value_is_refused() -> None:
    shared = shared_words(question())
    del shared["site"]
    with pytest.raises(EditionError):
        Filler(template(shape_of(question())), shared)


@pytest.mark.parametrize("damaged", [b"", b"x", b"sentinel-template-0\0a", b"sentinel-template-1\0a\0r:to"])
def test_a_damaged_template_is_refused(damaged: bytes) -> None:
    with pytest.raises(EditionError):
        Filler(damaged, {})


def test_a_template_that_says_something_else_is_found_out() -> None:
    facts = question()
    compiled = template(shape_of(facts)).replace(b"All is well", b"All is lost")
    composed = compose(payload_of(facts, delivery_id=DELIVERY), values(), ISSUED)
    with pytest.raises(EditionDiffers):
        verify(compiled, shared=shared_words(facts), values=values(), composed=composed)


def test_a_specimen_without_a_way_out_is_refused() -> None:
    payload = {
        "subject": "Hello",
        "text": "Hello zqxname",
        "html": "<p>Hello zqxname</p>",
        "from_name": "x",
        "from_address": specimen_sender(),
    }
    with pytest.raises(EditionError, match="unsubscribe"):
        compile_template(payload, {"name": "zqxname", "reply": "zqxreply"})


@pytest.mark.parametrize(
    ("address", "can"),
    [
        ("olena@lindgren.example", True),
        ("o'le+na@lindgren.example", True),
        ("olenä@lindgren.example", False),
        ("olena lindgren@x.example", False),
        ("a@b\r\n", False),
        ("nobody", False),
        ("a" * 260 + "@b.example", False),
    ],
)
def test_only_plain_addresses_go_through_templates(address: str, can: bool) -> None:
    assert can_carry(address) is can
