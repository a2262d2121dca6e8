"""The worker's new words: all of them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.inbound.reading import Ours, find_words
from sentinel.inbound.reading.own_sentences import SENTENCES
from sentinel.inbound.reading.own_text import own_text, settled
from tests.corpus import BASE_URL, INBOUND_DOMAIN, SENDER, default_places, filled
from tests.unit.mail.letters import LANGUAGES, TO_WORKERS

SENT = Path(__file__).parents[2] / "corpus" / "sent"
OURS = Ours(base_url=BASE_URL, inbound_domain=INBOUND_DOMAIN, senders=frozenset({SENDER}))
ORIGINALS = {
    language: filled((SENT / f"question-{language}.txt").read_bytes(), default_places()).decode().strip()
    for language in LANGUAGES
}


def marked(text: str) -> str:
    """Quoted as most mail programs do."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


#: Attributions as mail programs write them.
ATTRIBUTIONS = (
    "On Thu, 5 Mar 2026 at 08:30, Maria Keller <care@provider.example> wrote:",
    "On Thu, Mar 5, 2026 at 8:30 AM Maria Keller <care@provider.example>\nwrote:",
    "On 05/03/2026 08:30, Maria Keller wrote:",
    "Am Do., 5. März 2026 um 08:30 Uhr schrieb Maria Keller <care@provider.example>:",
    "Am 05.03.26 um 08:30 schrieb Maria Keller:",
    "Le jeu. 5 mars 2026 à 08:30, Maria Keller <care@provider.example> a écrit :",
    "El jue, 5 mar 2026 a las 8:30, Maria Keller (<care@provider.example>) escribió:",
    "Em qui., 5 de mar. de 2026 às 08:30, Maria Keller <care@provider.example>\nescreveu:",
    "Il giorno gio 5 mar 2026 alle ore 08:30 Maria Keller <care@provider.example> ha\nscritto:",
    "Op do 5 mrt 2026 om 08:30 schreef Maria Keller <care@provider.example>:",
    "czw., 5 mar 2026 o 08:30 Maria Keller <care@provider.example> napisał(a):",
    "W dniu 5.03.2026 o 08:30, Maria Keller pisze:",
    "Den tors 5 mars 2026 kl 08:30 skrev Maria Keller <care@provider.example>:",
    "tor. 5. mar. 2026 kl. 08.30 skrev Maria Keller <care@provider.example>:",
    "to 5. maalisk. 2026 klo 8.30 Maria Keller (care@provider.example) kirjoitti:",
    "čt 5. 3. 2026 v 8:30 odesílatel Maria Keller <care@provider.example> napsal:",
    "Maria Keller <care@provider.example> ezt írta (időpont: 2026. márc. 5., Cs, 8:30):",
    "чт, 5 мар. 2026 г. в 08:30, Maria Keller <care@provider.example>:",
    "5 Mar 2026 Per 08:30 tarihinde Maria Keller <care@provider.example> şunu\nyazdı:",
    "2026年3月5日(木) 8:30 Maria Keller <care@provider.example>:",
    "2026/03/05 8:30、Maria Keller <care@provider.example>のメール:",
    "Maria Keller <care@provider.example> 于2026年3月5日周四 08:30写道：",
    "> On 5 Mar 2026, at 08:30, Maria Keller <care@provider.example> wrote:",
)
HEADER_BLOCKS = (
    (
        "From: Maria Keller <care@provider.example>\nSent: Thursday, March 5, 2026 8:30 AM\nTo: Olena "
        "Kovalenko\nSubject: Question"
    ),
    (
        "________________________________\nVon: Maria Keller <care@provider.example>\nGesendet: "
        "Donnerstag, 5. März 2026 08:30\nAn: Olena\nBetreff: Frage"
    ),
    (
        "-----Original Message-----\nFrom: Maria Keller [mailto:care@provider.example]\nSent: 05 March "
        "2026 08:30\nTo: Olena\nSubject: Question"
    ),
    (
        "De : Maria Keller <care@provider.example>\nEnvoyé : jeudi 5 mars 2026 08:30\nÀ : Olena\nObjet : "
        "Question"
    ),
    "De: Maria Keller\nEnviado el: jueves, 5 de marzo de 2026 8:30\nPara: Olena\nAsunto: Pregunta",
    (
        "差出人: Maria Keller <care@provider.example>\n送信日時: 2026年3月5日 8:30\n宛先: Olena\n件名: "
        "お困りのこと"
    ),
    (
        "*From:* Maria Keller <care@provider.example>\n*Sent:* Thursday, 5 March 2026 08:30\n*To:* "
        "Olena\n*Subject:* Question"
    ),
    (
        "Od: Maria Keller <care@provider.example>\nWysłano: czwartek, 5 marca 2026 08:30\nDo: "
        "Olena\nTemat: Pytanie"
    ),
    (
        "Van: Maria Keller <care@provider.example>\nVerzonden: donderdag 5 maart 2026 08:30\nAan: "
        "Olena\nOnderwerp: Vraag"
    ),
    "From:\tMaria Keller <care@provider.example>\nTo:\tOlena\nDate:\t05.03.2026 08:30\nSubject:\tQuestion",
    (
        "-------- Ursprüngliche Nachricht --------\nVon: Maria Keller <care@provider.example>\nDatum: "
        "05.03.26 08:30 (GMT+01:00)\nAn: Olena\nBetreff: Frage"
    ),
)
NEW = "The label printer jams.\n\nIt began on Tuesday, at about 14:30."


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_finds_words_above_a_marked_quote(attribution: str, language: str) -> None:
    text = f"{NEW}\n\n{attribution}\n{marked(ORIGINALS[language])}\n"
    assert find_words(text, ours=OURS) == NEW


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_it_finds_words_below_a_marked_quote(attribution: str) -> None:
    assert find_words(f"{attribution}\n{marked(ORIGINALS['en'])}\n\n{NEW}", ours=OURS) == NEW


@pytest.mark.parametrize("attribution", ATTRIBUTIONS[:-1])
def test_it_finds_words_above_an_unmarked_quote(attribution: str) -> None:
    assert find_words(f"{NEW}\n\n{attribution}\n\n{ORIGINALS['de']}", ours=OURS) == NEW


@pytest.mark.parametrize("block", HEADER_BLOCKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_finds_words_above_a_header_block(block: str, language: str) -> None:
    assert find_words(f"{NEW}\n\n{block}\n\n{ORIGINALS[language]}", ours=OURS) == NEW


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_a_header_block_needs_nothing_of_ours_below_it(block: str) -> None:
    assert find_words(f"{NEW}\n\n{block}\n\nSomething unknown.\nAnd more of it.", ours=OURS) == NEW


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_knows_our_text_without_any_mark(language: str) -> None:
    assert find_words(f"{NEW}\n\n{ORIGINALS[language]}", ours=OURS) == NEW


WORDS = st.text(
    alphabet="abcdefghijklmnoprstuvwxyzäöüéñßКиїв紙詰まり0123456789,'()?!", min_size=1, max_size=12
)
SENTENCE = st.lists(WORDS, min_size=4, max_size=14).map(lambda words: "Well " + " ".join(words) + ".")
TEXT = st.lists(SENTENCE, min_size=1, max_size=5).map("\n".join)


def framed(style: int, new: str, original: str, attribution: str, block: str) -> str:
    return (
        f"{new}\n\n{attribution}\n{marked(original)}",
        f"{attribution}\n{marked(original)}\n\n{new}",
        f"{new}\n\n{block}\n\n{original}",
        f"{new}\n\n-- \nOlena Kovalenko\nWarehouse\n\n{attribution}\n{marked(original)}",
        f"{new}\n\nSent from my iPhone\n\n{attribution}\n{marked(original)}",
        f"[EXTERNAL]\n\n{new}\n\n{block}\n\n{original}",
        f"{new}\n\nBest regards,\nOlena Kovalenko\n\n{block}\n\n{original}",
        f"{new}\r\n\r\n{attribution}\r\n\r\n{marked(marked(original))}",
    )[style]


@settings(max_examples=300)
@given(
    new=TEXT,
    style=st.integers(0, 7),
    attribution=st.sampled_from(ATTRIBUTIONS),
    block=st.sampled_from(HEADER_BLOCKS),
    language=st.sampled_from(LANGUAGES),
    knows=st.booleans(),
)
def test_the_words_of_any_reply_are_what_was_added(
    new: str, style: int, attribution: str, block: str, language: str, knows: bool
) -> None:
    original = ORIGINALS[language]
    ours = Ours(
        base_url=BASE_URL,
        inbound_domain=INBOUND_DOMAIN,
        senders=frozenset({SENDER}),
        sent_text=original if knows else "",
    )
    text = framed(style, new, original, attribution, block)
    assert find_words(text.replace("\r\n", "\n"), ours=ours, author="Olena Kovalenko") == new


@settings(max_examples=150)
@given(text=st.text(max_size=600))
def test_no_text_is_lost_altogether(text: str) -> None:
    found = find_words(text, ours=OURS)
    if any(letter.isalnum() for letter in text) and not any(
        line.lstrip().startswith((">", "＞")) for line in text.split("\n")
    ):
        assert found


TRAPS = {
    "somebody else wrote":
        "On Monday the foreman wrote:\n\"Stop the line.\"\nSince then nobody knows what to do.",
    "somebody else wrote at a time": "On 3 March at 10:15 the foreman wrote:\nstop the line.\nNobody did.",
    "schrieb": "Am Montag schrieb der Meister:\nBand anhalten.\nNiemand hat es getan.",
    "von und an": "Von: Tor 4\nAn: Tor 7\nDas Band hält alle zehn Minuten.",
    "a list with dashes": "- the door jams\n- the light flickers\n- it is cold",
    "a rule between":
        "First problem: the door.\n----\nSecond problem: the light flickers whenever somebody opens "
        "that door.",
    "thanks first": "Thank you,\nbut the printer still jams and we wait for the new rollers since Monday.",
    "regards inside": "Please give my regards to Jonas.\nThe belt is torn.",
    "our address in prose": "I wrote to care@provider.example last week and nobody answered.",
    "our link in prose": f"The page {BASE_URL}/a/ does not open on my phone.",
    "an error code": "It says 550 5.1.1 user unknown when I log in.",
    "a disclaimer as a complaint": "This e-mail is the third one. We still wait.",
    "arrows": "-> door 3 does not close\n-> door 4 neither",
    "a face of brackets": ">_< the coffee machine again",
    "a long story": "\n\n".join(
        f"Paragraph {number} about the broken gate, told at length." for number in range(40)),
    "numbers": "1) gate 3: 12:30\n2) gate 4: 13:45 2026",
    "confidential": "The confidential bin is full since Monday.",
    "external": "External visitors cannot open the gate.",
    "warning": "Warning lamp at gate 3 is always on. Please check.",
    "attention": "Achtung: an Tor 3 hängt ein Kabel herunter.",
    "sent from": "The parcels sent from hall 3 are always late.",
    "below": "See below what happened:\nthe belt stopped, then the lamp went out.",
    "headers": "Date: today\nProblem: gate 3 stuck",
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("frame", ["alone", "above", "below"])
def test_what_only_looks_like_a_mark_stays(name: str, frame: str) -> None:
    quote = f"{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}"
    text = {"alone": TRAPS[name], "above": f"{TRAPS[name]}\n\n{quote}", "below": f"{quote}\n\n{TRAPS[name]}"}[
        frame
    ]
    assert find_words(text, ours=OURS, author="Olena Kovalenko") == TRAPS[name]


@pytest.mark.parametrize(
    ("closing", "author"),
    [
        ("Best regards\nOlena Kovalenko\nShift lead\nTel. +380 44 555 0100", ""),
        ("Mit freundlichen Grüßen\n\nOlena Kovalenko\nLagerleitung", ""),
        ("Viele Grüße aus Kyjiw\nOlena", ""),
        ("Cordialement,\nOlena", ""),
        ("Un saludo,\nOlena Kovalenko", ""),
        ("よろしくお願いいたします。\nコワレンコ", ""),
        ("Thanks,\nOlena", ""),
        ("LG Olena", "Olena Kovalenko"),
        ("Olena", "Olena Kovalenko"),
        ("Olena Kovalenko\nLindgren Logistics", "Kovalenko, Olena"),
        ("Sent from my Galaxy", ""),
        ("Von meinem iPad gesendet", ""),
        ("Get Outlook for Android<https://aka.ms/AAb9ysg>", ""),
        ("-- \nOlena Kovalenko\nLindgren Logistics\nhttps://lindgren.example", ""),
        ("This e-mail and any attachments are confidential and intended solely for the addressee.", ""),
        (
            ("Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat "
            "sind, löschen Sie sie."),
            ""),
        ("CONFIDENTIALITY NOTICE: the contents are privileged.\nIf you are not the recipient, delete it.",
            ""),
        ("Please consider the environment before printing this e-mail.", ""),
    ],
)  # fmt: skip
def test_what_closes_a_mail_goes(closing: str, author: str) -> None:
    text = f"{NEW}\n\n{closing}\n\n{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}"
    assert find_words(text, ours=OURS, author=author) == NEW


@pytest.mark.parametrize("banner", [
    ("CAUTION: This email originated from outside the organization. Do not click links or open "
    "attachments unless you recognize the sender."),
    "[EXTERNAL EMAIL]",
    "ACHTUNG: Diese E-Mail stammt von einem externen Absender. Bitte öffnen Sie keine Anhänge.",
    ("You don't often get email from olena@lindgren.example. Learn why this is "
    "important<https://aka.ms/LearnAboutSenderIdentification>"),
    "ATTENTION : ce message provient de l'extérieur. Ne cliquez sur aucun lien.",
])  # fmt: skip
def test_what_a_gateway_adds_on_top_goes(banner: str) -> None:
    assert find_words(f"{banner}\n\n{NEW}\n\n{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}", ours=OURS) == NEW


@pytest.mark.parametrize("before", ["It jams.", "No", "Yes, please call me!", "プリンターが壊れました。"])
@pytest.mark.parametrize(
    "attribution", [text for text in ATTRIBUTIONS if text.startswith(("On", "Am", "Le", "El", "Op"))]
)
def test_words_on_the_line_of_the_attribution_are_kept(before: str, attribution: str) -> None:
    text = f"{before} {attribution}\n{marked(ORIGINALS['en'])}"
    assert find_words(text, ours=OURS) == before
    assert find_words(f"{before} {attribution}\n\n{ORIGINALS['en']}", ours=OURS) == before


def test_what_a_mailing_list_adds_goes() -> None:
    footer = f"{'_' * 47}\nWarehouse mailing list\nTo unsubscribe send an email to w-leave@lists.example"
    assert find_words(f"{NEW}\n\n{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}\n{footer}", ours=OURS) == NEW


def test_the_ends_of_wrapped_quoted_lines_go() -> None:
    quote = "> Do you have any problem, comment or\nsuggestion for us?\n>\n> All is well"
    text = f"{NEW}\n\n{ATTRIBUTIONS[0]}\n{quote}"
    assert find_words(text, ours=OURS) == NEW


def test_answers_between_marked_lines_are_found() -> None:
    lines = marked(ORIGINALS["en"]).split("\n")
    lines.insert(4, "No, none.")
    lines.insert(9, "But thank you for asking.")
    text = "\n".join([ATTRIBUTIONS[0], *lines])
    assert settled(find_words(text, ours=OURS)) == "no, none. but thank you for asking."


def test_a_reply_of_nothing_but_our_own_text_has_no_words() -> None:
    assert find_words(f"{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}", ours=OURS) == ""
    assert find_words(f"{HEADER_BLOCKS[0]}\n\n{ORIGINALS['en']}", ours=OURS) == ""
    assert find_words(f"Sent from my iPhone\n\n{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}", ours=OURS) == ""


def test_a_forwarded_mail_of_somebody_else_is_shown_whole() -> None:
    block = HEADER_BLOCKS[0].replace("care@provider.example", "foreman@lindgren.example")
    text = f"{block}\n\nThe belt is torn."
    assert find_words(text, ours=OURS) == text


def test_what_we_sent_explains_an_answer_written_into_it() -> None:
    ours = Ours(
        base_url=BASE_URL,
        inbound_domain=INBOUND_DOMAIN,
        senders=frozenset({SENDER}),
        sent_text=ORIGINALS["en"],
    )
    lines = ORIGINALS["en"].split("\n")
    lines.insert(4, "Yes: the belt is torn.")
    text = "\n".join(["Dear Maria,", "", HEADER_BLOCKS[0], "", *lines])
    assert settled(find_words(text, ours=ours)) == "dear maria, yes: the belt is torn."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TO_WORKERS)
def test_every_mail_to_a_worker_is_known_as_ours(language: str, name: str) -> None:
    text = TO_WORKERS[name](language).text.replace(django_settings.BASE_URL, BASE_URL)
    assert find_words(f"{NEW}\n\n{text}", ours=OURS, author="Olena Kovalenko") == NEW
    assert find_words(f"{NEW}\n\n{marked(text)}", ours=OURS) == NEW


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_that_give_us_away_are_those_we_send(language: str) -> None:
    sent = settled(" ".join(build(language).text for build in TO_WORKERS.values()))
    known = [sentence for sentence in SENTENCES.splitlines() if settled(sentence) in sent]
    assert len(known) >= 10


def test_a_label_of_ours_typed_by_the_worker_is_an_answer() -> None:
    for label in ("All is well", "Ich habe ein Problem", "問題ありません"):
        assert find_words(f"{label}\n\n{ORIGINALS['en']}", ours=OURS) == label
        assert find_words(f"{label}\n\n{ATTRIBUTIONS[0]}\n{marked(ORIGINALS['en'])}", ours=OURS) == label


def test_the_recogniser_is_made_once_per_mail() -> None:
    assert own_text(OURS) is own_text(OURS)
