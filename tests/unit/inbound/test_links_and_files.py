"""Our links wherever a gateway hid them; files by their bytes; headers as people read them."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inbound.reading.charsets import decode
from sentinel.inbound.reading.headers import decode_words, sender
from sentinel.inbound.reading.language import language_of
from sentinel.inbound.reading.markup import flat_text, lines_of_markup
from sentinel.inbound.reading.shapes import Notes
from sentinel.inbound.reading.sniff import safe_name, sniff
from sentinel.inbound.reading.tokens import find_tokens
from tests.corpus import BASE_URL, token
from tests.unit.inbound.mails import OURS, mail, read

TOKEN = token(7)
URL = f"{BASE_URL}/a/{TOKEN}/frown/"
ENCODED = quote(URL, safe="")
WRAPPED = [
    URL,
    URL.upper(),
    f"<{URL}>",
    f"https://eur01.safelinks.protection.outlook.com/?url={ENCODED}&data=05%7C02%7C&sdata=x&reserved=0",
    f"https://eur01.safelinks.protection.outlook.com/?url={quote(ENCODED, safe='')}&amp;data=05",
    f"https://urldefense.com/v3/__{URL}__;!!abc!def$",
    "https://urldefense.proofpoint.com/v2/url?u=" + URL.replace(":", "-3A").replace("/", "_") + "&d=DwM&c=x",
    f"https://linkprotect.cudasvc.com/url?a={ENCODED}&c=E,1,abc&typo=1",
    f"https://secure-web.cisco.com/1abcDEF/{ENCODED}",
    f"https://www.google.com/url?q={URL}&source=gmail",
    "https://eu-west-1.protection.sophos.com/?d=x.example&u=" + b64encode(URL.encode()).decode() + "&p=m",
    f"{URL[:60]}\n> {URL[60:]}",
    f"{URL[:75]}=\n{URL[75:]}",
]  # fmt: skip


@pytest.mark.parametrize("text", WRAPPED)
def test_our_link_is_found_in_any_wrapping(text: str) -> None:
    assert find_tokens([f"See {text} and tell us."], OURS) == (("a", TOKEN),)


def test_links_are_found_once_and_in_order() -> None:
    other = f"{BASE_URL}/c/{token(8)}/yes/"
    assert find_tokens([f"{other} {URL} {other}", URL], OURS) == (("c", token(8)), ("a", TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        f"https://evil.example/a/{TOKEN}/",
        f"{BASE_URL}/a/{TOKEN[:-1]}/",
        f"{BASE_URL}/a/{TOKEN}a/",
        f"https://x.{BASE_URL[8:]}.evil/a/{TOKEN}/",
    ],
)
def test_links_of_others_are_not_ours(text: str) -> None:
    assert find_tokens([text], OURS) == ()


def test_links_are_found_in_html_only() -> None:
    found = read(
        mail(
            f'<p>Broken.</p><blockquote><a href="{URL}">I have a problem</a></blockquote>',
            Content_Type="text/html",
        )
    )
    assert found.link_tokens == (("a", TOKEN),)
    assert found.words == "Broken."


MAGIC = [
    (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n....", "image/png"),
    (b"MZ\x90\x00", "application/x-msdownload"),
    (b"%PDF-1.7", "application/pdf"),
    (b"\x00\x00\x00\x18ftypheic", "image/heic"),
    (b"PK\x03\x04" + b"\x00" * 26 + b"word/document.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"PK\x03\x04aaaa", "application/zip"),
    (b"<svg xmlns='x'><script>alert(1)</script></svg>", "image/svg+xml"),
    (b"GIF89a<script>", "image/gif"),
    (b"hello <script>alert(1)</script>", "text/html"),
    (b"plain words", "text/plain"),
    (b"\x00\x01\x02\x03", "application/octet-stream"),
    (b"", "application/x-empty"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "kind"), MAGIC)
def test_a_file_is_what_its_bytes_are(content: bytes, kind: str) -> None:
    assert sniff(content, "image/png") == kind


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("bad\u202egpj.exe", "badgpj.exe"),
        ("line\r\nbreak.txt", "line break.txt"),
        ("con.txt", "_con.txt"),
        (".htaccess", "htaccess"),
        ("", "attachment-3.jpg"),
        ("???", "attachment-3.jpg"),
        ("写真.jpg", "写真.jpg"),
        ("a" * 300 + ".jpeg", "a" * 115 + ".jpeg"),
    ],
)
def test_a_file_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, "image/jpeg", 3) == safe


@given(st.text(max_size=300))
def test_any_file_name_is_made_safe(name: str) -> None:
    safe = safe_name(name, "image/jpeg", 1)
    assert 0 < len(safe) <= 120
    assert not set(safe) & set('/\\:*?"<>|\r\n\x00')
    assert not safe.startswith(".")


def test_a_program_that_calls_itself_a_picture_is_kept_as_what_it_is() -> None:
    raw = mail(
        "--x\r\n\r\nSee.\r\n--x\r\nContent-Type: image/jpeg; name=fan.jpg\r\n\r\nMZ\x00\x01\r\n--x--",
        Content_Type="multipart/mixed; boundary=x",
    )
    [part] = read(raw).attachments
    assert (part.declared_type, part.sniffed_type, part.refused) == (
        "image/jpeg",
        "application/x-msdownload",
        "",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?b?R3LDvA==?= =?utf-8?b?w59l?=", "Grüße"),
        ("=?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=", "Grüße"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ('"=?utf-8?q?Gr=C3=BC=C3=9Fe?=" x', '"Grüße" x'),
        ("=?nope?q?abc?=", "abc"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("=?utf-8*en?q?a_b?=", "a b"),
        ("plain", "plain"),
    ],
)
def test_encoded_words_are_read_as_mail_programs_do(value: str, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("Olena <Olena@Lindgren.Example>", "olena@lindgren.example", "Olena"),
        ('"Kovalenko, Olena" <o@x.example>', "o@x.example", "Kovalenko, Olena"),
        ("o@x.example (Olena)", "o@x.example", "Olena"),
        ('"care@provider.example" <evil@x.example>', "evil@x.example", "care@provider.example"),
        ("=?utf-8?q?Ol=C3=A9na?= <o@x.example>", "o@x.example", "Oléna"),
        ("", "", ""),
        ("(" * 5000, "", ""),
    ],
)
def test_a_sender_is_an_address_and_a_name(value: str, address: str, name: str) -> None:
    found = sender(value)
    assert found[0] == address
    assert len(name) < 3 or found[1] == name


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_become_text(data: bytes, charset: str) -> None:
    assert isinstance(decode(data, charset)[0], str)


def test_html_becomes_the_lines_people_see() -> None:
    source = (
        "<html><head><title>t</title><style>p {}</style></head><body><p>One &amp; "
        "two<br>three</p><ul><li>a</li><li>b</li></ul>"
        "<div style='display:none'>hidden</div><script>evil()</script><blockquote type=cite>old</blockquote>"
        "<table><tr><td>x</td><td>y</td></tr></table></body></html>"
    )
    seen = " ".join(flat_text(lines_of_markup(source, Notes())).split())
    assert seen == "One & two three - a - b > old x y"


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("The printer on floor 2 does not work.", "en"),
        ("Der Drucker im 2. Stock geht nicht.", "de"),
        ("L'imprimante du 2e étage ne marche pas.", "fr"),
        ("La impresora de la segunda planta no funciona.", "es"),
        ("プリンターが動きません。", "ja"),
        ("A impressora do segundo andar não funciona.", ""),
        ("4711", ""),
        ("", ""),
    ],
)
def test_the_language_of_words(words: str, language: str) -> None:
    assert language_of(words) == language
