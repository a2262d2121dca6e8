"""Throws broken mail at the reader: every mail of the corpus, mutated at random, for as long as you like.

    python bench/fuzz_inbound.py --seconds 300 --seed 1

Prints how many mails were read, of which kind, what crashed (a step that failed makes a mail unreadable) and
which were slowest. Exit status 1 when something crashed, or took longer than it may.
"""

from __future__ import annotations

import argparse
import faulthandler
import heapq
import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from sentinel.inbound.meaning import answer_to_question, comes_back, verdict_of  # noqa: E402
from sentinel.inbound.reading import Kind, Ours, Reading, read_mail  # noqa: E402
from tests.corpus import BASE_URL, INBOUND_DOMAIN, NOW, SENDER, load  # noqa: E402

OURS = Ours(base_url=BASE_URL, inbound_domain=INBOUND_DOMAIN, senders=frozenset({SENDER}))
#: Mails above this size are made by hand elsewhere; the fuzzer wants many small ones.
LARGEST = 60_000
#: Seconds of processor time.
TOO_SLOW = 3.0
SNIPPETS = (
    b"\r\n\r\n", b"\n", b"\r", b"\x00", b"\xff\xfe", b"=?utf-8?b?", b"?=", b"=?utf-8?q?=", b"--", b"> ",
    b">>>>", b'Content-Type: multipart/mixed; boundary="x"\r\n', b"Content-Transfer-Encoding: base64\r\n",
    b"<div>", b"<!--", b"</blockquote>", b"<blockquote type=cite>", b"&#x110000;",
    b"On Mon, 1 Jan 2026 at 10:00, A <a@b.example> wrote:\n",
    b"From: a\r\nSent: b\r\nTo: c\r\nSubject: d\r\n", b"\xe2\x80\xae", b"(" * 50, b"\x1b$B",
    b"charset=utf-7", b"begin 644 x\n", b"Received: from x\r\n", b"message/rfc822",
    b"format=flowed; delsp=yes", b"%00%ff", b"__https://", b"5.1.1", b"\xf0\x9f\x98\x80",
)  # fmt: skip


@dataclass
class Tally:
    """What happened so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, bytes] = field(default_factory=dict)
    slowest: list[tuple[float, str, int]] = field(default_factory=list)
    count: int = 0
    seconds: float = 0.0


def flip(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    for _number in range(dice.randint(1, 30)):
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)


def cut(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    del raw[dice.randrange(len(raw)) :]


def drop(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    start = dice.randrange(len(raw))
    del raw[start : start + dice.randint(1, 400)]


def splice(raw: bytearray, dice: random.Random, others: list[bytes]) -> None:
    other = dice.choice(others)
    start = dice.randrange(len(other))
    place = dice.randrange(len(raw))
    raw[place:place] = other[start : start + dice.randint(1, 3_000)]


def insert(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    for _number in range(dice.randint(1, 8)):
        place = dice.randrange(len(raw))
        raw[place:place] = dice.choice(SNIPPETS)


def repeat(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    start = dice.randrange(len(raw))
    piece = bytes(raw[start : start + dice.randint(1, 80)])
    raw[start:start] = piece * dice.choice((2, 10, 100, 2_000))


def double_headers(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    lines = bytes(raw).split(b"\n")
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    chosen = dice.sample(range(end), min(end, dice.randint(1, 6)))
    raw[:] = b"\n".join([line for number in chosen for line in [lines[number]] * dice.randint(1, 50)] + lines)


def nest(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    for level in range(dice.randint(1, 30)):
        mark = b"n%d" % level
        head = (
            b"Content-Type: multipart/"
            + dice.choice((b"mixed", b"alternative", b"related", b"report"))
            + b"; boundary="
            + mark
        )
        raw[:0] = head + b"\r\n\r\n--" + mark + b"\r\n"
        raw += b"\r\n--" + mark + b"--\r\n"


def shuffle_lines(raw: bytearray, dice: random.Random, _: list[bytes]) -> None:
    lines = bytes(raw).split(b"\n")
    for _number in range(dice.randint(1, 20)):
        one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[one], lines[two] = lines[two], lines[one]
    raw[:] = b"\n".join(lines)


MUTATIONS = (flip, cut, drop, splice, insert, repeat, double_headers, nest, shuffle_lines)


def mutated(raw: bytes, dice: random.Random, others: list[bytes]) -> bytes:
    """The mail after one to four mutations."""
    changed = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        if changed:
            dice.choice(MUTATIONS)(changed, dice, others)
    return bytes(changed)


def check(found: Reading) -> None:
    """What must hold of every reading."""
    assert all(
        isinstance(text, str) for text in (found.words, found.full_text, found.subject, found.from_address)
    )
    assert not any(reason.startswith("reading its ") for reason in found.reasons), found.reasons
    assert "\n" not in found.subject + found.from_name + found.from_address
    assert all("/" not in part.name and part.name for part in found.attachments)
    assert all(address == address.lower() for address in found.recipients)
    assert found.back_on is None or found.kind is Kind.OUT_OF_OFFICE
    for meaning in (answer_to_question, verdict_of, comes_back):
        meaning(found.words, found.language)


def one(raw: bytes, name: str, tally: Tally, dice: random.Random) -> None:
    sender = dice.choice(("", "olena@lindgren.example"))
    began = time.process_time()
    # A mail that is never finished shows where it hangs.
    faulthandler.dump_traceback_later(60, exit=True)
    try:
        found = read_mail(raw, envelope_from=sender, envelope_to="", ours=OURS, now=NOW)
        check(found)
        tally.kinds[found.kind.value] += 1
    except Exception:
        tally.crashes.setdefault(traceback.format_exc(limit=-3) + f"\n{name}", raw)
    faulthandler.cancel_dump_traceback_later()
    took = time.process_time() - began
    tally.count += 1
    tally.seconds += took
    heapq.heappush(tally.slowest, (took, name, len(raw)))
    if len(tally.slowest) > 5:
        heapq.heappop(tally.slowest)


def run(seconds: float, seed: int) -> Tally:
    """Mutate and read until the time is over."""
    dice = random.Random(seed)
    mails = [(mail.name, mail.raw) for mail in load() if 0 < len(mail.raw) <= LARGEST]
    others = [raw for _, raw in mails]
    tally, end = Tally(), time.monotonic() + seconds
    while time.monotonic() < end:
        name, raw = dice.choice(mails)
        one(mutated(raw, dice, others), name, tally, dice)
    return tally


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path, help="a folder for the mails that crashed")
    chosen = options.parse_args()
    tally = run(chosen.seconds, chosen.seed)
    print(f"{tally.count} mails read, {tally.seconds / max(1, tally.count) * 1000:.2f} ms each")
    print("kinds:", dict(tally.kinds.most_common()))
    for took, name, size in sorted(tally.slowest, reverse=True):
        print(f"slowest: {took * 1000:.0f} ms, {size} bytes, from {name}")
    for number, (story, raw) in enumerate(tally.crashes.items()):
        print(f"crash {number}:\n{story}")
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            (chosen.keep / f"crash-{number}.eml").write_bytes(raw)
    return 1 if tally.crashes or max(tally.slowest)[0] > TOO_SLOW else 0


if __name__ == "__main__":
    raise SystemExit(main())
