"""Machines that answer, people who are away, mail in circles; and people who only sound like those."""

from __future__ import annotations

import time
from datetime import date

import pytest

from sentinel.inbound.reading import Kind
from sentinel.inbound.reading.absence import back_on
from tests.corpus import NOW, SENDER
from tests.unit.inbound.mails import mail, read

TODAY = date(2026, 3, 6)  # a Friday
ABSENCES = [
    ("I am out of the office until Monday, 16 March.", date(2026, 3, 16)),
    ("I am away and will be back on March 16th.", date(2026, 3, 16)),
    ("I will return to the office on 2026-03-16.", date(2026, 3, 16)),
    ("On leave from 9 March to 13 March 2026.", date(2026, 3, 14)),
    ("Away through 13 March.", date(2026, 3, 14)),
    ("I am out of office. Back on Tuesday!", date(2026, 3, 10)),
    ("I am on vacation, returning 03/16/2026.", date(2026, 3, 16)),
    ("Ich bin bis zum 13.03.2026 nicht im Büro.", date(2026, 3, 14)),
    ("Ich bin vom 9. bis 13. März im Urlaub.", date(2026, 3, 14)),
    ("Ab dem 16.03. bin ich wieder erreichbar.", date(2026, 3, 16)),
    ("Ich bin am 16. März 2026 wieder im Büro.", date(2026, 3, 16)),
    ("Ich kehre am Montag, den 16.3.2026 zurück.", date(2026, 3, 16)),
    ("Je suis absente jusqu'au 13 mars 2026 inclus.", date(2026, 3, 14)),
    ("De retour le lundi 16 mars.", date(2026, 3, 16)),
    ("Je serai de retour le 1er avril 2026.", date(2026, 4, 1)),
    ("Estaré fuera de la oficina hasta el 13 de marzo.", date(2026, 3, 14)),
    ("Regreso el 16 de marzo de 2026.", date(2026, 3, 16)),
    ("3月9日から3月13日まで休暇をいただきます。", date(2026, 3, 14)),
    ("3月16日（月）より出社いたします。", date(2026, 3, 16)),
    ("Estarei de volta em 16 de março.", date(2026, 3, 16)),
    ("Estou de férias até 13/03/2026.", date(2026, 3, 14)),
    ("Rientro il 16 marzo 2026.", date(2026, 3, 16)),
    ("Sono in ferie fino al 13 marzo.", date(2026, 3, 14)),
    ("Ik ben terug op 16 maart 2026.", date(2026, 3, 16)),
    ("Ik ben afwezig tot en met 13 maart.", date(2026, 3, 14)),
    ("Wracam 16 marca 2026.", date(2026, 3, 16)),
    ("Jestem na urlopie do 13 marca 2026.", date(2026, 3, 14)),
    ("I am back on 7 January.", date(2027, 1, 7)),
    ("Since 2 March I am on sick leave.", None),
    ("I am away. Call Jonas on 0171 2345678, Monday to Friday.", None),
    ("I was away until 2 March 2026.", None),
    ("Back on 31 February.", None),
    ("Back in 2031-01-01.", None),
    ("I am out of the office.", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "day"), ABSENCES)
def test_the_first_day_back(text: str, day: date | None) -> None:
    assert back_on(text, TODAY) == day


@pytest.mark.parametrize(
    "unit", ["mon, ", "the (", "(, ", "den ", "bis ", "ab Montag, dem ", "until the ", "3月", "から"]
)
def test_an_absence_that_goes_on_and_on_takes_no_time(unit: str) -> None:
    began = time.process_time()
    back_on((unit * 20 + "12.04.2026 ") * 80, TODAY)
    assert time.process_time() - began < 60, "it runs away"


SIGNS = [
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated (rejected)"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": "anything"},
    {"Precedence": "auto_reply"},
    {"Precedence": "bulk"},
    {"Subject": "Automatic reply: Question"},
    {"Subject": "Automatische Antwort: Frage"},
    {"Subject": "Réponse automatique : Question"},
    {"Subject": "Respuesta automática: Pregunta"},
    {"Subject": "自動応答: お困りのこと"},
    {"Subject": "Risposta automatica: domanda"},
    {"Subject": "Automatyczna odpowiedź: pytanie"},
    {"Subject": "[EXTERNAL] Automatic reply: Question"},
]


@pytest.mark.parametrize("headers", SIGNS)
def test_a_sign_of_a_machine_makes_an_automatic_reply(headers: dict[str, str]) -> None:
    found = read(mail("Your mail has arrived.", **headers))
    assert found.kind is Kind.AUTO_REPLY
    assert found.reasons


@pytest.mark.parametrize("headers", SIGNS)
def test_a_machine_that_speaks_of_absence_is_an_absence(headers: dict[str, str]) -> None:
    found = read(mail("I am out of the office until 16 March 2026.", **headers))
    assert (found.kind, found.back_on) == (Kind.OUT_OF_OFFICE, date(2026, 3, 16))


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office: Question",
        "Abwesenheitsnotiz",
        "Absence du bureau : Question",
        "Fuera de la oficina: x",
        "不在通知: 質問",
    ],
)
def test_the_subject_of_an_absence_and_a_null_sender_suffice(subject: str) -> None:
    assert read(mail("Thank you.", Subject=subject), envelope_from="").kind is Kind.OUT_OF_OFFICE


PEOPLE = [
    "I am on holiday from Monday, please call Jonas about the belt.",
    "I am out of office supplies, please send paper.",
    "The automatic reply of your hotline is broken.",
    "Ich bin nicht im Büro, wenn der Techniker kommt. Bitte vorher anrufen: 0171 2345678.",
    "Urgent: the automatic door does not close.",
    "I will be back on 16 March; until then the belt must run.",
    "Je suis en congé dès lundi, appelez Jonas pour la porte.",
    "This is an automated warehouse and the crane is stuck.",
]


@pytest.mark.parametrize("words", PEOPLE)
def test_a_person_who_speaks_of_absence_is_a_person(words: str) -> None:
    found = read(mail(words))
    assert (found.kind, found.words, found.back_on) == (Kind.HUMAN, words, None)


@pytest.mark.parametrize(
    "subject",
    [
        "Auto: Reifen platt",
        "The automatic reply of your hotline is broken",
        "Automatic door stuck",
        "Absent labels: gate 3",
        "Urlaub: wer kommt stattdessen?",
        "Read: the manual is wrong",
        "Returned goods",
        "Fuera de servicio: puerta 3",
    ],
)
def test_a_subject_of_a_person(subject: str) -> None:
    assert read(mail("The belt is torn.", Subject=subject)).kind is Kind.HUMAN


def test_somebody_who_quotes_a_machine_is_a_person() -> None:
    words = 'Your hotline only says: "Your request has been received". Nobody calls.'
    assert read(mail(words)).kind is Kind.HUMAN


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "no"},
        {"X-Auto-Response-Suppress": "All"},
        {
            "Precedence": "list",
            "List-Id": "<a.b.example>",
            "In-Reply-To": "<a@b.example>",
            "List-Unsubscribe": "<https://a.example>",
        },
        {"Subject": "Re: Automatic reply: Question"},
        {"Subject": "The automatic door"},
        {"X-Priority": "1"},
    ],
)
def test_headers_that_people_have_too(headers: dict[str, str]) -> None:
    assert read(mail("The belt is torn.", **headers)).kind is Kind.HUMAN


@pytest.mark.parametrize(
    "body",
    [
        "This is an automatically generated reply. We have received your request.",
        "##- Please type your reply above this line -##\nYour request (4711) has been received.",
        "Dies ist eine automatische Antwort. Ihre Anfrage wurde unter 4711 erfasst.",
        "Ceci est un message automatique. Merci.",
        "このメールは自動送信されています。",
    ],
)
def test_a_machine_that_says_so_in_words_is_believed(body: str) -> None:
    assert read(mail(body)).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        (f"Maria Keller <{SENDER}>", {}),
        (f"<{SENDER.upper()}>", {}),
        ("x <rd-abc@in.sentinel.example>", {}),
        ("o <o@x.example>", {"X-Loop": SENDER}),
        ("o <o@x.example>", {"Feedback-ID": "3:check-in:sentinel"}),
    ],
)
def test_our_own_mail_coming_back_is_a_loop(sender: str, headers: dict[str, str]) -> None:
    assert read(mail("Hello", sender=sender, **headers)).kind is Kind.LOOP


def test_a_mail_that_has_been_everywhere_is_a_loop() -> None:
    assert read(b"Received: from x\r\n" * 40 + mail("Hello")).kind is Kind.LOOP
    assert read(b"Received: from x\r\n" * 12 + mail("Hello")).kind is Kind.HUMAN


def test_a_receipt_and_an_accepted_invitation_are_no_answers() -> None:
    body = "--x\r\n\r\nread\r\n--x\r\nContent-Type: message/disposition-notification\r\n\r\na: b\r\n--x--"
    receipt = mail(body, Content_Type="multipart/report; report-type=disposition-notification; boundary=x")
    calendar = mail("BEGIN:VCALENDAR", Content_Type="text/calendar; method=REPLY")
    assert {read(receipt).kind, read(calendar).kind} == {Kind.AUTO_REPLY}


def test_a_note_is_dated_by_its_own_day() -> None:
    assert NOW.date() == TODAY
    raw = mail(
        "I am away, back on Thursday.", Auto_Submitted="auto-replied", Date="Wed, 4 Mar 2026 08:00:00 +0100"
    )
    assert read(raw).back_on == date(2026, 3, 5)
