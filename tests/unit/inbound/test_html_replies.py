"""Replies that come as HTML only: the marks of mail programs tell the worker's words from ours."""

from __future__ import annotations

import pytest

from sentinel.inbound.reading import Kind
from tests.corpus import BASE_URL, token
from tests.unit.inbound.mails import mail, read

URL = f"{BASE_URL}/a/{token(7)}/frown/"
ORIGINAL = (
    "<p>Hello Olena Kovalenko,</p><p>Do you have any problem, comment or suggestion for us?</p>"
    f'<a href="{URL}">☹ I have a problem</a><p>Kind regards<br>Maria Keller</p>'
)
WROTE = "On Thursday, March 5, 2026, Maria Keller &lt;care@provider.example&gt; wrote:"
NEW = "The belt is torn."
CASES = {
    "yahoo": f'<div>{NEW}</div><div class="yahoo_quoted"><div>{WROTE}</div>{ORIGINAL}</div>',
    "outlook": f"<p class=MsoNormal>{NEW}<o:p></o:p></p><p class=MsoNormal>Best regards</p><p>Olena</p>"
    '<div style="border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> Maria'
    f"<br><b>Sent:</b> Thursday<br><b>To:</b> Olena<br><b>Subject:</b> Q</p></div>{ORIGINAL}",
    "any language": f'<div>{NEW}</div><div style="border-top:solid #E1E1E1 1.0pt"><p><b>Lähettäjä:</b> M'
    f"<br><b>Lähetetty:</b> torstai<br><b>Vastaanottaja:</b> Olena</p></div>{ORIGINAL}",
    "outlook on the web": f'<div>{NEW}</div><div id="Signature"><p>Olena<br>+49 30 1</p></div><hr>'
    f'<div id="divRplyFwdMsg"><b>Von:</b> Maria<br><b>Gesendet:</b> Do</div>{ORIGINAL}',
    "apple":
        f"{NEW}<br><div>Sent from my iPhone</div><blockquote "
        f"type='cite'>{WROTE}<br>{ORIGINAL}</blockquote>",
    "apple, below": f'<blockquote type="cite">{WROTE}<br>{ORIGINAL}</blockquote><div>{NEW}</div>',
    "thunderbird": f'<p>{NEW}</p><div class="moz-cite-prefix">Am 05.03.26 um 08:30 schrieb Maria:<br></div>'
    f'<blockquote type="cite">{ORIGINAL}</blockquote><div class="moz-signature">-- <br>Olena</div>',
    "spark": f'<div>{NEW}</div><p name="messageReplySection">{WROTE}<blockquote>{ORIGINAL}</blockquote>',
    "no marks at all": f"<div>{NEW}</div><br>{ORIGINAL}",
    "upper case": f"<DIV>{NEW}</DIV><BLOCKQUOTE TYPE=CITE>{ORIGINAL}</BLOCKQUOTE>",
    "nothing closed": f'<p>{NEW}<blockquote type="cite">{ORIGINAL}',
    "hidden text": f'<div style="display: none">buy</div><span style="font-size:0">buy</span>{NEW}'
    f"<blockquote>{ORIGINAL}",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_words_are_found(name: str) -> None:
    found = read(mail(CASES[name], Content_Type="text/html; charset=utf-8"))
    assert (found.kind, found.words) == (Kind.HUMAN, NEW)
    assert found.link_tokens == (("a", token(7)),)
    assert "suggestion for us" in found.full_text


def test_what_the_worker_indents_is_the_workers() -> None:
    inside = "<div>belt</div><div>lamp</div>"
    source = f'<div>Two things:</div><blockquote style="margin:0 0 0 40px;border:none">{inside}</blockquote>'
    assert read(mail(source, Content_Type="text/html")).words == "Two things:\nbelt\nlamp"


def test_a_sign_shown_as_a_picture_is_a_word() -> None:
    assert (
        read(mail('<img data-emoji="👍" alt="👍" src="x">', Content_Type="text/html; charset=utf-8")).words
        == "👍"
    )


def test_a_reply_of_quoted_text_only_has_no_words() -> None:
    assert (
        read(
            mail(f"<div><br></div><blockquote type=cite>{ORIGINAL}</blockquote>", Content_Type="text/html")
        ).words
        == ""
    )
