"""One example of every mail a worker or a user can get, in any language."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sentinel.checkins.messages import (
    QUESTIONS,
    AboutFacts,
    ProofFacts,
    QuestionFacts,
    ResponseAnswerFacts,
    check_in_question,
    response_answer,
)
from sentinel.checkins.rules import ResponseKind, Severity
from sentinel.escalation.messages import (
    NewsFacts,
    NoticeFacts,
    Reason,
    duty_notice,
    news_notice,
)
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.escalation.small_print import Told, Tried
from sentinel.problems import messages
from sentinel.problems.rules import CallOutcome
from sentinel.ui.mail import Mail, Sender

NOW = datetime(2026, 3, 6, 14, 52, tzinfo=UTC)
LANGUAGES = ("en", "de", "fr", "es", "ja")
WORDS = {
    "en": "The printer on floor 2 eats every second page since Monday.\nWe cannot ship without labels.",
    "de": "Der Drucker im 2. Stock frisst seit Montag jede zweite Seite.\n"
    "Ohne Etiketten geht kein Paket raus.",
    "fr": "L’imprimante du 2e étage mange une page sur deux depuis lundi.\nSans étiquettes, rien ne part.",
    "es": "La impresora de la 2.ª planta se come una página de cada dos desde el lunes.",
    "ja": "月曜日から2階のプリンターで紙詰まりが続いています。\nラベルが印刷できず出荷できません。",
}
DONE = {
    "en": "The feed rollers were worn; we replaced them and printed 200 labels without a jam.",
    "de": "Die Einzugsrollen waren abgenutzt. Wir haben sie ersetzt und 200 Etiketten ohne Stau gedruckt.",
    "fr": "Les rouleaux étaient usés ; nous les avons remplacés et imprimé 200 étiquettes sans bourrage.",
    "es": "Los rodillos estaban gastados; los hemos cambiado e impreso 200 etiquetas sin atascos.",
    "ja": "給紙ローラーが摩耗していたため交換し、200枚の印刷で紙詰まりがないことを確認しました。",
}
SENDER = Sender(
    person="Maria Schulz",
    address="care@lumen.example",
    provider="Lumen Office Systems",
    reply_to="maria.schulz@lumen.example",
    telephone="+49 30 901820",
)


def question(
    language: str, *, is_first: bool = False, about: bool = False, proof: bool = True
) -> QuestionFacts:
    return QuestionFacts(
        check_in_id=812_345,
        programme_id=3,
        worker_id=104_233,
        worker_name="Olena Kovalenko",
        language=language,
        site_name="Kyiv",
        sender=SENDER,
        question=QUESTIONS[language],
        is_first=is_first,
        now=NOW,
        proof=ProofFacts(reported=14, confirmed=12, promised=1, open_count=1, next_promise=date(2026, 6, 12))
        if proof
        else None,
        about=AboutFacts(
            proposal_id=77,
            words=WORDS[language],
            words_language=language,
            reported_on=date(2026, 2, 2),
            what_was_done=DONE[language],
        )
        if about
        else None,
    )


def head(language: str, *, words: bool = True) -> messages.Letterhead:
    return messages.Letterhead(
        problem_id=4711,
        worker_id=104_233,
        worker_name="Olena Kovalenko",
        language=language,
        zone="Europe/Kyiv",
        sender=SENDER,
        words=WORDS[language] if words else "",
        words_language=language,
        reported_at=NOW - timedelta(days=1),
        now=NOW,
    )


def _asked(language: str, number: int) -> Mail:
    return messages.ask(
        messages.AskFacts(
            head=head(language),
            proposal_id=77,
            what_was_done=DONE[language],
            proposed_at=NOW,
            ask_number=number,
            call_by=NOW + timedelta(hours=3) if number == 3 else None,
        )
    )


#: Name → mail to a worker in a language.
TO_WORKERS: dict[str, Callable[[str], Mail]] = {
    "question": lambda lang: check_in_question(question(lang)),
    "question_first": lambda lang: check_in_question(question(lang, is_first=True, proof=False)),
    "question_about": lambda lang: check_in_question(question(lang, about=True)),
    "receipt": lambda lang: messages.problem_receipt(
        messages.ReceiptFacts(head=head(lang), call_by=NOW + timedelta(hours=1), number="+380 44 123 4567")
    ),
    "receipt_bare": lambda lang: messages.problem_receipt(
        messages.ReceiptFacts(head=head(lang, words=False), call_by=None)
    ),
    "tried": lambda lang: messages.tried_to_call(
        messages.TriedFacts(
            head=head(lang), at=NOW, number="+380 44 123 4567", again_at=NOW + timedelta(minutes=30)
        )
    ),
    "promise": lambda lang: messages.promise(
        messages.PromiseFacts(head=head(lang), due_on=date(2026, 3, 12), what=DONE[lang])
    ),
    "promise_moved": lambda lang: messages.promise_moved(
        messages.PromiseMovedFacts(
            head=head(lang),
            due_on=date(2026, 3, 17),
            previous_due_on=date(2026, 3, 12),
            reason=DONE[lang],
        )
    ),
    "ask": lambda lang: _asked(lang, 1),
    "ask_again_2": lambda lang: _asked(lang, 2),
    "ask_again_3": lambda lang: _asked(lang, 3),
    "ask_again_4": lambda lang: _asked(lang, 4),
    "by_telephone": lambda lang: messages.confirmed_by_telephone(
        messages.TelephoneFacts(head=head(lang), confirmation_id=9, said_at=NOW)
    ),
    "reopened": lambda lang: messages.reopened_receipt(
        messages.ReopenedFacts(head=head(lang), call_by=NOW + timedelta(hours=1), new_words=WORDS[lang])
    ),
    "written": lambda lang: messages.written(messages.WrittenFacts(head=head(lang), text=DONE[lang])),
    "answer": lambda lang: response_answer(
        ResponseAnswerFacts(
            worker_id=104_233,
            worker_name="Olena Kovalenko",
            language=lang,
            sender=SENDER,
            kind=ResponseKind.SUGGESTION,
            words=WORDS[lang],
            words_language=lang,
            received_at=NOW,
            zone="Europe/Kyiv",
            answer=DONE[lang],
            now=NOW,
        )
    ),
}

NOTICE = NoticeFacts(
    reason=Reason.NEW,
    recipient_id=1,
    recipient_language="en",
    recipient_zone="Europe/Berlin",
    sender=SENDER,
    audience=Audience.OWNER,
    rung=0,
    repeat=0,
    problem_id=4711,
    worker_name="Olena Kovalenko",
    account_name="Lindgren Logistics",
    site_name="Kyiv",
    site_zone="Europe/Kyiv",
    words=WORDS["en"],
    words_language="en",
    severity=Severity.HINDERS,
    may_call=True,
    telephone="+380 44 123 4567",
    call_when="after 15:00",
    call_language="en",
    opened_at=NOW,
    owed=DutyKind.ACKNOWLEDGE,
    due_at=NOW + timedelta(minutes=15),
    accountable_id=1,
    accountable_name="Maria Schulz",
    now=NOW,
    tried=(Tried(at=NOW, outcome=CallOutcome.NO_ANSWER, caller="Maria Schulz"),),
    told=(Told(name="Tom Weber", at=NOW), Told(name="Petra Lang", at=NOW)),
)

TO_USERS: dict[str, Callable[[], Mail]] = {
    "notice_new": lambda: duty_notice(NOTICE).mail,
    "notice_late": lambda: (
        duty_notice(
            replace(NOTICE, reason=Reason.LATE, owed=DutyKind.CALL, due_at=NOW - timedelta(minutes=45))
        ).mail
    ),
    "news": lambda: (
        news_notice(
            NewsFacts(
                recipient_language="en",
                sender=SENDER,
                response_id=5,
                kind=ResponseKind.PRAISE,
                worker_name="Olena Kovalenko",
                account_name="Lindgren Logistics",
                site_name="Kyiv",
                words="Anna from your hotline was wonderful.",
                words_language="en",
                now=NOW,
            )
        ).mail
    ),
}
