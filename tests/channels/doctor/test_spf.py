"""SPF records with everything they include, and whether they let an address send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from sentinel.channels.email.doctor.spf import SpfFacts, gather_spf


class Book:
    """A name server of paper. A name in ``lost`` cannot be asked."""

    def __init__(self, txt: Mapping[str, Sequence[str]], lost: Sequence[str] = (), **hosts: str) -> None:
        self._txt, self._lost = txt, lost
        self._hosts = {name.replace("_", "."): ips.split() for name, ips in hosts.items()}

    def txt(self, name: str) -> Sequence[str] | None:
        return None if name in self._lost else self._txt.get(name, ())

    def addresses(self, name: str) -> Sequence[str] | None:
        return None if name in self._lost else self._hosts.get(name, ())

    def mail_hosts(self, name: str) -> Sequence[str] | None:
        return None if name in self._lost else (f"mx.{name}",)


def of(
    record: str, other: Mapping[str, str] | None = None, lost: Sequence[str] = (), **hosts: str
) -> SpfFacts:
    book = {"a.example": [record], **{name: [text] for name, text in (other or {}).items()}}
    return gather_spf("a.example", Book(book, lost, **hosts))


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:192.0.2.5 -all", "pass"),
        ("v=spf1 ip4:192.0.2.6 -all", "fail"),
        ("v=spf1 ip4:192.0.2.6 ~all", "softfail"),
        ("v=spf1 ip6:2001:db8::/32 ?all", "neutral"),
        ("v=spf1 -ip4:192.0.2.5 +all", "fail"),
        ("v=spf1 a:relay.example -all", "pass"),
        ("v=spf1 a:near.example/24 -all", "pass"),
        ("v=spf1 a:near.example/24//64 -all", "pass"),
        ("v=spf1 a:near.example -all", "fail"),
        ("v=spf1 mx -all", "pass"),
        ("v=spf1 include:b.example -all", "pass"),
        ("v=spf1 include:c.example -all", "fail"),
        ("v=spf1 redirect=b.example", "pass"),
        ("v=spf1 redirect=c.example", "softfail"),
        ("v=spf1 exists:%{i}.ok.example -all", "unknown"),
        ("v=spf1 ptr -all", "unknown"),
        ("v=spf1 exists:%{i}.ok.example ip4:192.0.2.5 -all", "pass"),
        ("v=spf1", "neutral"),
        ("V=SPF1 IP4:192.0.2.5 -ALL", "pass"),
    ],
)
def test_an_address_is_judged(record: str, result: str) -> None:
    spf = of(
        record,
        {"b.example": "v=spf1 ip4:192.0.2.5 -all", "c.example": "v=spf1 ip4:198.51.100.1 ~all"},
        relay_example="192.0.2.5",
        near_example="192.0.2.200",
        mx_a_example="2001:db8::1 192.0.2.5",
    )
    assert spf.allows("192.0.2.5") == result
    assert spf.broken == ()


def test_an_address_of_version_six_is_judged() -> None:
    spf = of("v=spf1 ip6:2001:db8:1::/48 a:relay.example//64 -all", relay_example="2001:db8:2::9")
    assert spf.allows("2001:db8:1::7") == "pass"
    assert spf.allows("2001:db8:2::1") == "pass"
    assert spf.allows("2001:db8:3::1") == "fail"


def test_every_name_to_be_asked_counts() -> None:
    spf = of(
        "v=spf1 a mx:b.example include:c.example exists:x.example ip4:192.0.2.1 -all",
        {"c.example": "v=spf1 a include:d.example -all", "d.example": "v=spf1 ip4:192.0.2.2 -all"},
        a_example="192.0.2.3",
        c_example="192.0.2.4",
        mx_b_example="192.0.2.5",
    )
    assert (spf.lookups, spf.voids) == (6, 0)
    assert spf.includes == {"c.example", "d.example"}


def test_names_that_do_not_exist_are_counted() -> None:
    assert of("v=spf1 a:one.example mx:two.example a:three.example -all").voids == 3


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=spf1 ipv4:192.0.2.1 -all", "cannot be understood"),
        ("v=spf1 ip4:192.0.2.999 -all", "names no network"),
        ("v=spf1 include:gone.example -all", "no SPF record"),
        ("v=spf1 include:a.example -all", "includes itself"),
    ],
)
def test_what_is_broken_is_said(record: str, words: str) -> None:
    (problem,) = of(record).broken
    assert words in problem


def test_an_include_that_cannot_be_asked_leaves_it_open() -> None:
    spf = of("v=spf1 include:b.example -all", lost=["b.example"])
    assert spf.allows("192.0.2.5") == "unknown"
    assert spf.failed


def test_two_records_or_none_are_no_record() -> None:
    assert gather_spf("a.example", Book({"a.example": ["v=spf1 -all", "v=spf1 +all"]})).root is None
    assert gather_spf("a.example", Book({"a.example": ["hello"]})).records == ()
    assert gather_spf("a.example", Book({}, lost=["a.example"])).failed


def test_a_record_without_an_end_is_followed_no_further_than_sense() -> None:
    endless = {f"d{n}.example": f"v=spf1 include:d{n + 1}.example -all" for n in range(200)}
    spf = of("v=spf1 include:d0.example -all", endless)
    assert 10 < spf.lookups < 60


@pytest.mark.parametrize(
    ("record", "last"),
    [
        ("v=spf1 +all", "+"),
        ("v=spf1 all", "+"),
        ("v=spf1 ~all", "~"),
        ("v=spf1", ""),
        ("v=spf1 redirect=b.example", "-"),
    ],
)
def test_the_last_word_is_found(record: str, last: str) -> None:
    assert of(record, {"b.example": "v=spf1 -all"}).last_word == last
