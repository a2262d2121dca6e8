"""Whatever comes over the wire is read in bounded time, and reading never fails."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.inbound.reading import Kind, Reading
from sentinel.inbound.reading import reader as reader_module
from tests.corpus import load
from tests.unit.inbound.mails import mail, read

STORED = [found.raw for found in load() if 0 < len(found.raw) < 60_000]
MEGABYTE = 1_000_000
#: Seconds of work no mail may need. Nothing is measured here: what runs away runs for hours.
FOR_EVER = 60


def whole(found: Reading) -> bool:
    return not any("failed" in reason for reason in found.reasons)


@settings(max_examples=300)
@given(raw=st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert whole(read(raw))


@settings(max_examples=300)
@given(data=st.data())
def test_any_mutilated_mail_is_read(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(STORED)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 500)))
        raw[start:end] = data.draw(st.binary(max_size=20)) * data.draw(st.sampled_from([0, 1, 2, 50]))
    found = read(bytes(raw), envelope_from=data.draw(st.sampled_from(["", "olena@lindgren.example"])))
    assert whole(found)
    assert "\n" not in found.subject + found.from_name + found.from_address


TEXTS = [
    "a", "a\n", "> ", ">\n", "On ", "On a 2026 10:00:\n", "From: a@b.c\n", "From: a\nSent: b\n", "--\n",
        "-----\n",
    "wrote:\n", "@", "a@", "12.12.2026 ", "until ", "http://a%", "%25", "[cid:", "Thanks,\nOlena\n", "x\n\n",
        "_" * 30 +
        "\n",
    "This e-mail is\n\n", "CAUTION outside\n", "\u200b", "https://sentinel.example.com/a/", "\u00e4" * 1900 +
        "\n",
        "5.1.1 550 ",
]  # fmt: skip
MARKUP = [
    "<", "<a ", '<a b="', "<!--", "<div>", "</div>", "<br>", "&", "&#", "<blockquote>", "<script>", "<p>a",
        "<td>",
        "<![",
        "<?",
    '<div class="', "<img alt='", "<pre>\n", "a<b>c</b>", "<a b=c d=e>", '\'<a "',
]  # fmt: skip


@pytest.mark.parametrize(("unit", "kind"), [(u, "plain") for u in TEXTS] + [(u, "html") for u in MARKUP])
def test_much_of_the_same_takes_no_longer_than_it_may(unit: str, kind: str) -> None:
    raw = mail(unit * (MEGABYTE // 4 // len(unit)), Content_Type=f"text/{kind}; charset=utf-8")
    began = time.process_time()
    assert whole(read(raw, envelope_from=""))
    assert time.process_time() - began < FOR_EVER


BODIES = {
    "lines of one boundary": b"--b\r\n",
    "boundaries within a line": b"--bz",
    "tiny parts": b"--b\r\n\r\nhi\r\n",
    "base64": b"QUJD\r\n",
    "lines": b"abc: d\r\n",
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("place", ["body", "headers"])
def test_thirty_megabytes_take_less_than_three_seconds(name: str, place: str) -> None:
    head = mail("", Content_Type="multipart/mixed; boundary=b")
    head = head if place == "body" else head.rstrip(b"\r\n") + b"\r\n"
    raw = head + BODIES[name] * (31 * MEGABYTE // len(BODIES[name]))
    began = time.process_time()
    found = read(raw)
    assert time.process_time() - began < FOR_EVER
    assert found.truncated
    assert whole(found)


def nested(levels: int) -> bytes:
    raw = b"Content-Type: text/plain\r\n\r\ninnermost"
    for level in range(levels):
        mark = b"m%d" % level
        raw = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n%s\r\n--%s--" % (
            mark,
            mark,
            raw,
            mark,
        )
    return b"From: a@b.example\r\n" + raw


def test_nesting_is_followed_to_the_limit_and_told() -> None:
    assert read(nested(10)).words == "innermost"
    assert not read(nested(10)).truncated
    assert read(nested(3_000)).truncated


@pytest.mark.parametrize(
    "charset",
    ["idna", "punycode", "unicode_escape", "base64", "zlib", "rot13", "undefined", "x" * 500, "\x00"],
)
def test_codecs_that_are_no_charsets_are_not_used(charset: str) -> None:
    found = read(mail("caf\u00e9 5.1.1", Content_Type=f"text/plain; charset={charset}"))
    assert found.words == "café 5.1.1"


@pytest.mark.parametrize(
    "step", ["_read_headers", "_read_text", "_read_words", "_read_kind", "_read_attachments"]
)
def test_a_step_that_fails_leaves_what_the_others_found(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Any) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(reader_module.Reader, step, fail)
    found = read(mail("The belt is torn.", Message_ID="<a@b.example>"))
    assert found.kind is Kind.UNREADABLE
    assert any("RecursionError" in reason for reason in found.reasons)
    assert found.message_id == ("" if step == "_read_headers" else "a@b.example")
    assert found.full_text == ("" if step == "_read_text" else "The belt is torn.")


def test_reading_needs_no_django() -> None:
    folder = Path(reader_module.__file__).parent
    pure = [
        *folder.glob("*.py"),
        *(folder.parent / f"{name}.py" for name in ("meaning", "phrases", "verdicts", "doubting")),
    ]
    assert not [
        path.name for path in pure if "django" in path.read_text(encoding="utf-8").replace("No Django", "")
    ]


def test_a_broken_date_header_is_ignored() -> None:
    for value in ("", "nonsense", "Fri, 99 Xyz 99999 99:99:99 +9999", "Thu, 1 Jan 1970 00:00:00 -2400", "1"):
        found = read(mail("I am away until 16 March.", Auto_Submitted="auto-replied", Date=value))
        assert found.back_on == date(2026, 3, 16)
