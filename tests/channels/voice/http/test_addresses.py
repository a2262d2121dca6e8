"""The addresses that a voice service calls: each for one call and one step, with its plan sealed."""

from __future__ import annotations

import pytest

from sentinel.channels.voice.http import addresses
from sentinel.channels.voice.http.addresses import Address, NotOurs, Step
from tests.channels.voice.http.desk import intent

BASE = "https://sentinel.example"
NEW, OLD = "the secret of today", "the secret of yesterday"
PLAN = addresses.plan_of(intent("key"), caller="+4930999")


def written(address: Address, *secrets: str) -> str:
    return addresses.write(address, base_url=BASE, secrets=secrets or (NEW, OLD))


def read(url: str, *secrets: str) -> Address:
    return addresses.read(url, base_url=BASE, secrets=secrets or (NEW, OLD))


@pytest.mark.parametrize("step", Step)
def test_an_address_says_what_was_written_into_it(step: Step) -> None:
    address = Address(key="key", step=step, plan=PLAN, of="CA1", turn=2)
    assert read(written(address)) == address
    assert read(written(Address(key="key", step=step))) == Address(key="key", step=step)


def test_addresses_of_yesterday_s_secret_are_read_until_it_is_gone() -> None:
    url = written(Address(key="key", step=Step.PRESS, plan=PLAN), OLD)
    assert read(url).plan == PLAN
    with pytest.raises(NotOurs):
        read(url, NEW)


def test_nothing_of_a_plan_can_be_read_or_moved_to_another_call() -> None:
    url = written(Address(key="key", step=Step.WHISPER, plan=PLAN))
    assert PLAN.worker_number[1:] not in url
    other = written(Address(key="other", step=Step.WHISPER))
    with pytest.raises(NotOurs):
        read(f"{other}?{url.partition('?')[2]}")


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("/key/", "/other/"),
        lambda url: url.replace("/press", "/pressed"),
        lambda url: url.replace("/press", ""),
        lambda url: url.replace("sentinel.example", "elsewhere.example"),
        lambda url: url.replace("plan=", "plan=AAAA"),
        lambda url: url.replace("plan=", "plan=é"),
        lambda url: url.replace("/voice/key/", "/voice/key/é"),
        lambda url: url.replace("https", "http"),
        lambda url: "",
    ],
)
def test_whatever_is_changed_is_ours_no_longer(change) -> None:  # type: ignore[no-untyped-def]
    url = written(Address(key="key", step=Step.PRESS, plan=PLAN))
    read(url)
    with pytest.raises(NotOurs):
        read(change(url))
