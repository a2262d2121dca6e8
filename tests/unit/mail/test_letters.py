"""Every mail, in every language: small, complete without pictures, readable in both parts."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import TypeGuard

import pytest
from babel.messages.pofile import read_po
from django.test import override_settings

from sentinel.checkins.messages import ProofFacts, check_in_question, proof_line, question_in
from sentinel.escalation.messages import Reason, duty_notice
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.small_print import Told
from sentinel.kernel.links import Purpose
from sentinel.ops.catalogues import PACKAGES
from sentinel.ui.links import read_public_token
from sentinel.ui.mail import Mail
from tests.unit.mail.letters import LANGUAGES, NOTICE, NOW, TO_USERS, TO_WORKERS, WORDS, question

EVERY = [
    pytest.param(write, lang, id=f"{name}-{lang}") for name, write in TO_WORKERS.items() for lang in LANGUAGES
]
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Collects what a mail program would see; fails on tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def links(self) -> list[str]:
        return [attrs["href"] or "" for attrs in self.all("a")]


def on_the_wire(mail: Mail) -> bytes:
    """The mail as an SMTP server would get it, in the most wasteful encoding a sender may choose."""
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = f"{mail.from_name} <{mail.from_address}>"
    message["To"] = "olena.kovalenko@lindgren-logistics.example"
    message["Reply-To"] = mail.reply_to
    message["Message-ID"] = "<" + "0" * 32 + ".sentinel@lumen.example>"
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


@pytest.mark.parametrize(("write", "language"), EVERY)
def test_it_weighs_less_than_twenty_kilobytes_on_the_wire(
    write: Callable[[str], Mail], language: str
) -> None:
    assert len(on_the_wire(write(language))) < 20_000


@pytest.mark.parametrize(("write", "language"), EVERY)
def test_it_is_well_formed_names_its_language_and_needs_nothing_from_outside(
    write: Callable[[str], Mail], language: str
) -> None:
    mail = write(language)
    page = Page(mail.html)
    assert page.all("html")[0]["lang"] == language
    assert page.all("html")[0]["dir"] == "ltr"
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert page.all("img") == page.all("link") == page.all("script") == []
    assert "@import" not in mail.html
    assert "url(" not in mail.html
    assert all(table.get("role") == "presentation" for table in page.all("table"))
    assert "prefers-color-scheme: dark" in mail.html
    assert not re.search(r"[{}]{2}|\{%|%\(|None", mail.html), "a placeholder was left unfilled"


@pytest.mark.parametrize(("write", "language"), EVERY)
def test_both_parts_hold_the_same_links_except_the_one_for_robots(
    write: Callable[[str], Mail], language: str
) -> None:
    mail = write(language)
    in_html = {link for link in Page(mail.html).links if link.startswith("http") and "/more/" not in link}
    in_text = set(re.findall(r"https?://\S+", mail.text))
    assert in_html == in_text
    assert "/more/" not in mail.text


@pytest.mark.parametrize("name", TO_WORKERS)
def test_every_mail_is_written_in_five_languages(name: str) -> None:
    written = {TO_WORKERS[name](language).text for language in LANGUAGES}
    assert len(written) == len(LANGUAGES)
    english = TO_WORKERS[name]("en")
    for language in LANGUAGES[1:]:
        other = TO_WORKERS[name](language)
        assert "Kind regards" not in other.text
        assert other.subject != english.subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_has_two_faces_as_words_with_the_trap_between_them(language: str) -> None:
    mail = check_in_question(question(language))
    page = Page(mail.html)
    faces = [link for link in page.links if "/a/" in link]
    assert [link.rstrip("/").rsplit("/", 1)[1] for link in faces] == ["happy", "more", "frown"]
    for link in faces:
        token = link.rstrip("/").split("/")[-2]
        assert read_public_token(token, Purpose.ANSWER, today=NOW.date()) == 812_345
    trap = next(attrs for attrs in page.all("a") if "/more/" in (attrs["href"] or ""))
    assert trap["aria-hidden"] == "true"
    assert trap["tabindex"] == "-1"
    assert "display:none" in (trap["style"] or "")
    assert mail.subject == question(language).question


def test_both_answers_have_the_same_size() -> None:
    page = Page(check_in_question(question("en")).html)
    happy, frown = (
        next(attrs for attrs in page.all("a") if f"/{face}/" in (attrs["href"] or ""))
        for face in ("happy", "frown")
    )
    strip = re.compile(r"background:#[0-9a-f]{6}")
    assert strip.sub("", happy["style"] or "") == strip.sub("", frown["style"] or "")
    # 16 px above and below a line of 24 px: 56 px for the thumb, 12 px apart.
    assert "padding:16px 12px" in (happy["style"] or "")
    assert "17px/24px" in (happy["style"] or "")


def test_a_question_about_a_problem_leads_to_its_confirmation_and_to_no_face() -> None:
    page = Page(check_in_question(question("en", about=True)).html)
    verdicts = [link for link in page.links if "/c/" in link]
    assert [link.rstrip("/").rsplit("/", 1)[1] for link in verdicts] == ["yes", "no"]
    assert not [link for link in page.links if "/a/" in link]
    assert "printer" in " ".join(page.words)


@override_settings(BASE_URL="https://care.example")
def test_a_check_in_can_be_unsubscribed_by_one_bare_post() -> None:
    headers = check_in_question(question("en")).headers
    assert re.fullmatch(r"<https://care\.example/u/[a-z2-7]{44}/one-click/>", headers["List-Unsubscribe"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"] == '"Lumen Office Systems" <check-in-3.care.example>'
    assert headers["Auto-Submitted"] == "auto-generated"
    # Receipts are unwelcome. Reports of non-delivery (NDR) and absence notes (OOF) are not.
    assert headers["X-Auto-Response-Suppress"].split(", ") == ["DR", "RN", "NRN", "AutoReply"]
    assert "Precedence" not in headers
    assert all("\n" not in value and value.isascii() for value in headers.values())


def test_a_letter_written_by_hand_does_not_call_itself_automatic() -> None:
    assert "Auto-Submitted" not in TO_WORKERS["written"]("en").headers
    assert "Auto-Submitted" not in TO_WORKERS["answer"]("en").headers
    assert TO_WORKERS["receipt"]("en").headers["Auto-Submitted"] == "auto-generated"


def test_the_sender_is_a_person_and_replies_reach_them() -> None:
    payload = check_in_question(question("de")).payload()
    assert payload["from_name"] == "Maria Schulz"
    assert payload["from_address"] == "care@lumen.example"
    assert payload["reply_to"] == "maria.schulz@lumen.example"


def test_what_a_worker_wrote_is_never_taken_for_markup() -> None:
    facts = question("en")
    mail = check_in_question(
        type(facts)(**(facts.__dict__ | {"worker_name": "<b>Bobby</b> & Sons", "site_name": "<script>"}))
    )
    assert "&lt;b&gt;Bobby&lt;/b&gt; &amp; Sons" in mail.html
    assert "<script>" not in mail.html
    assert "<b>Bobby</b> & Sons" in mail.text


def test_a_subject_is_one_line() -> None:
    facts = question("en")
    mail = check_in_question(type(facts)(**(facts.__dict__ | {"question": "One\r\nBcc: all@example.com"})))
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_proof_says_nothing_without_facts(language: str) -> None:
    assert proof_line(None, language) == ""
    nothing = ProofFacts(reported=0, confirmed=0, promised=0, open_count=0, next_promise=None)
    assert proof_line(nothing, language) == ""


def test_the_proof_is_a_line_of_facts() -> None:
    text = check_in_question(question("en")).text
    assert (
        "Last month at your site: 14 reported, 12 confirmed solved, 1 promised for 12 June, 1 in work."
        in text
    )


def test_the_programmes_own_words_win_over_the_shipped_ones() -> None:
    assert question_in({"de": "Alles gut?"}, "de") == "Alles gut?"
    assert question_in({"en": "Well?"}, "fr").startswith("Avez-vous")
    assert question_in({"en": "Well?"}, "uk") == "Well?"
    assert question_in({}, "uk").startswith("Do you have")


def test_dates_are_the_sites_own() -> None:
    # 14:52 in UTC is 16:52 in Kyiv.
    assert "Friday 6 March, 17:52" in TO_WORKERS["receipt"]("en").text
    assert "Freitag, 6. März, 17:52 Uhr" in TO_WORKERS["receipt"]("de").text
    assert "vendredi 6 mars à 17 h 52" in TO_WORKERS["receipt"]("fr").text
    assert "viernes 6 de marzo a las 17:52" in TO_WORKERS["receipt"]("es").text
    assert "3月6日(金) 17:52" in TO_WORKERS["receipt"]("ja").text


@pytest.mark.parametrize("package", ["checkins", "escalation", "problems"])
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_translation_keeps_its_placeholders(package: str, language: str) -> None:
    path = PACKAGES / package / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    for message in catalogue:
        if message.id:
            assert message.string, message.id
            named = re.compile(r"%\((\w+)\)s")
            assert sorted(named.findall(str(message.id))) == sorted(named.findall(str(message.string))), (
                message.id
            )


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_sentence_of_a_notice_is_translated(language: str) -> None:
    folder = PACKAGES / "escalation"
    sources = [path.read_text() for path in sorted(folder.glob("*.py"))]
    calls = [node for source in sources for node in ast.walk(ast.parse(source)) if _marks(node)]
    marked = {ast.literal_eval(node.args[0]) for node in calls if isinstance(node.args[0], ast.Constant)}
    with (folder / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as source:
        known = {str(message.id) for message in read_po(source, locale=language) if message.id}
    assert len(marked) > 70
    assert known == marked


def _marks(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "gettext_noop")


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("#ffffff", "#0a695c"),
        ("#ffffff", "#b3380f"),
        ("#10201d", "#ffffff"),
        ("#10201d", "#f2f5f4"),
        ("#475753", "#ffffff"),
        ("#475753", "#f2f5f4"),
        ("#edf3f1", "#182522"),
        ("#edf3f1", "#0f1917"),
        ("#b4c3be", "#182522"),
        ("#b4c3be", "#0f1917"),
    ],
)
def test_every_pair_of_colours_in_use_has_contrast(ink: str, paper: str) -> None:
    html = check_in_question(question("en")).html
    assert ink in html
    assert paper in html
    light, dark = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("name", TO_USERS)
def test_a_notice_to_a_user_is_small_and_begins_with_the_title(name: str) -> None:
    mail = TO_USERS[name]()
    assert len(on_the_wire(mail)) < 20_000
    assert mail.text.startswith(mail.subject)
    Page(mail.html)


def test_a_notice_says_whom_to_call_where_and_what_time_it_is_there() -> None:
    mail = TO_USERS["notice_new"]()
    assert mail.subject.startswith("Call Olena Kovalenko now: The printer on floor 2")
    assert mail.subject.endswith("(Kyiv, 16:52 there)")
    assert "tel:+380441234567" in Page(mail.html).links
    for part in WORDS["en"].splitlines():
        assert f"> {part}" in mail.text
    assert mail.text.index("> The printer") < mail.text.index("Lindgren Logistics")


@pytest.mark.parametrize(
    ("reason", "language", "opens", "title"),
    [
        (Reason.NEW, "en", timedelta(hours=2), "Call Olena Kovalenko at 18:52 (Kyiv): The printer"),
        (Reason.NEW, "de", timedelta(hours=2), "Olena Kovalenko um 18:52 Uhr (Kyiv) anrufen: The printer"),
        (Reason.NEW, "fr", timedelta(hours=2), "Appelez Olena Kovalenko à 18 h 52 (Kyiv) : The printer"),
        (Reason.NEW, "es", timedelta(hours=2), "Llame a Olena Kovalenko a las 18:52 (Kyiv): The printer"),
        (
            Reason.NEW,
            "ja",
            timedelta(hours=2),
            "18:52（Kyiv）にOlena Kovalenkoさんに電話",
        ),
        (Reason.NEW, "en", timedelta(hours=17), "Call Olena Kovalenko on Saturday 7 March, 09:52 (Kyiv): "),
        (Reason.REOPENED, "en", timedelta(hours=2), "Not solved: call Olena Kovalenko at 18:52 (Kyiv), "),
        (Reason.CAME_BACK, "en", timedelta(hours=2), "It came back: call Olena Kovalenko at 18:52 (Kyiv), "),
        (Reason.REOPENED, "en", None, "Not solved: call Olena Kovalenko now, The printer"),
    ],
)
def test_a_notice_says_when_to_call_while_the_site_is_closed(
    reason: Reason, language: str, opens: timedelta | None, title: str
) -> None:
    at = NOW + opens if opens else None
    notice = duty_notice(replace(NOTICE, reason=reason, recipient_language=language, site_opens_at=at))
    assert notice.mail.subject.startswith(title)
    assert notice.console.title == notice.mail.subject


def test_a_late_notice_says_how_late_and_what_is_missing() -> None:
    assert (
        TO_USERS["notice_late"]().subject
        == "Late 45 min: nobody has called Olena Kovalenko (Lindgren Logistics)"
    )


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("owed", [*DutyKind, None])
@pytest.mark.parametrize("may_call", [True, False])
def test_every_reason_has_a_title_that_names_the_worker_or_the_duty(
    reason: Reason, owed: DutyKind | None, may_call: bool
) -> None:
    facts = replace(NOTICE, reason=reason, owed=owed, may_call=may_call, due_at=NOW if owed else None)
    notice = duty_notice(facts)
    assert "%(" not in notice.mail.text
    assert "Olena Kovalenko" in notice.mail.text
    assert notice.console.title == notice.mail.subject
    assert notice.console.url.endswith("/problems/4711/")
    assert ("tel:" in notice.mail.html) is may_call


def test_a_long_ladder_names_each_person_once() -> None:
    told = tuple(Told(name="Petra Lang", at=NOW + timedelta(days=n)) for n in range(30))
    text = duty_notice(replace(NOTICE, told=told)).mail.text
    assert text.count("Petra Lang") == 1
