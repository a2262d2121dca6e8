"""The bench's mail sink counts exactly what it took: what it reports is what the measurements claim."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.mail.servers import Sink, own_sink

MAIL = b"Subject: x\r\nMessage-ID: <%d@provider.example>\r\n\r\n..a line with a dot\r\n.\r\n"


def begin(recipient: int) -> bytes:
    return b"MAIL FROM:<a@provider.example>\r\nRCPT TO:<w%d@lindgren.example>\r\nDATA\r\n" % recipient


@contextmanager
def talking_to(sink: Sink) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as line:
        yield line


def everything(line: socket.socket) -> bytes:
    heard = b""
    while more := line.recv(65536):
        heard += more
    return heard


def names(sink: Sink) -> list[str]:
    return [mail[0] for mail in sink.accepted()]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 100_000])
def test_it_takes_pipelined_mails_wherever_the_network_cuts_them(tmp_path: Path, piece: int) -> None:
    talk = b"EHLO us\r\n" + b"".join(begin(n) + MAIL % n for n in range(5)) + b"QUIT\r\n"
    with own_sink(tmp_path, log=True) as sink, talking_to(sink) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(talk), piece):
            line.sendall(talk[start : start + piece])
        replies = everything(line).splitlines()
    assert [reply[:3] for reply in replies].count(b"354") == 5
    assert replies.count(b"250 2.0.0 queued") == 5
    assert names(sink) == [f"{n}@provider.example" for n in range(5)]
    assert [mail[2] for mail in sink.accepted()] == [f"w{n}@lindgren.example" for n in range(5)]
    assert sink.counts["accepted"] == 5


def test_it_finds_copies_and_copies_that_differ(tmp_path: Path) -> None:
    other = MAIL.replace(b"Subject: x", b"Subject: y")
    with own_sink(tmp_path, log=True) as sink, talking_to(sink) as line:
        line.sendall(b"".join(begin(1) + mail % 1 for mail in (MAIL, MAIL, other)) + b"QUIT\r\n")
        everything(line)
    assert sink.repeats() == (1, 2, 1)


def test_it_says_421_after_so_many_mails_and_keeps_what_it_took(tmp_path: Path) -> None:
    with own_sink(tmp_path, log=True, close_every=2) as sink, talking_to(sink) as line:
        line.sendall(b"".join(begin(n) + MAIL % n for n in range(4)))
        replies = everything(line).splitlines()
    assert replies[-1].startswith(b"421")
    assert replies.count(b"250 2.0.0 queued") == 2
    assert names(sink) == ["0@provider.example", "1@provider.example"]
    assert sink.counts["closed_by_us"] == 1


def test_it_counts_a_mail_whose_sender_did_not_wait_for_the_answer(tmp_path: Path) -> None:
    with own_sink(tmp_path, log=True, rtt=5, processing=20) as sink:
        with talking_to(sink) as line:
            line.sendall(begin(1) + MAIL % 1 + begin(2) + b"Subject: half a m")
            line.shutdown(socket.SHUT_WR)
            everything(line)
        with talking_to(sink) as line:
            line.sendall(begin(3) + MAIL % 3 + b"QUIT\r\n")
            everything(line)
    assert names(sink) == ["1@provider.example", "3@provider.example"]


def test_a_mail_that_was_deferred_is_not_taken(tmp_path: Path) -> None:
    with own_sink(tmp_path, log=True, defer_share=1) as sink, talking_to(sink) as line:
        line.sendall(begin(1) + MAIL % 1 + b"QUIT\r\n")
        assert b"451 4.2.0" in everything(line)
    assert names(sink) == []
    assert sink.counts["deferred"] == 1


def test_it_can_be_started_by_hand() -> None:
    command = [sys.executable, "-m", "bench.mail.sink", "--help"]
    assert "--close-every" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
