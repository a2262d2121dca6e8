"""The locks pin every package by hash, and say nothing about where somebody happened to get it."""

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^[a-z0-9][a-z0-9.\-]*(?:\[[a-z0-9,\-]+\])?==\S+", re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert "--extra-index" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_a_hash(lock: Path) -> None:
    text = lock.read_text()
    starts = [match.start() for match in PIN.finditer(text)]
    assert starts
    entries = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_tests_use_the_versions_that_run() -> None:
    run, test = (
        set(PIN.findall((ROOT / "requirements" / name).read_text())) for name in ("run.txt", "test.txt")
    )
    assert run <= test


def test_no_lock_that_names_hosts_lies_about() -> None:
    assert not [
        path.name for path in ROOT.iterdir() if path.name == "uv.lock" or path.name.startswith("pylock")
    ]
