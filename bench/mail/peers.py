"""What a run is compared with, in the same minute, on the same machine, at the same sink."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.mail.database import environment
from bench.mail.meter import Cost, metered
from bench.mail.servers import CHECKOUT, Place, Sink, fast_sink, program
from bench.mail.table import row, say
from sentinel.checkins.messages import QUESTIONS, QuestionFacts, check_in_question
from sentinel.kernel.links import Purpose
from sentinel.ui.mail import Mail, Sender

TOKEN = re.compile("/(" + "|".join(purpose.value for purpose in Purpose) + ")/[a-z2-7]{44}")
NAME = "NAMENAMENAME"
SESSIONS = (4, 20, 50)


def question(language: str, name: str = NAME) -> Mail:
    """The check-in's mail, as the product words it."""
    sender = Sender(
        person="Maria Schulz",
        address="care@provider.example",
        provider="Meridian Office Machines",
        reply_to="maria@provider.example",
        telephone="+49 30 555010",
    )
    return check_in_question(
        QuestionFacts(
            check_in_id=1,
            programme_id=1,
            worker_id=1,
            worker_name=name,
            language=language,
            site_name="Kyiv",
            sender=sender,
            question=QUESTIONS[language],
            is_first=False,
            now=datetime.now(UTC),
        )
    )


def measure_floor(place: Place, mail: bytes, mails: int) -> tuple[float, str]:
    """A static mail from `smtp-source` to the sink, with several numbers of sessions; the fastest counts.

    `mail` is one of ours as it went over the wire. Returns mails per second and which it was.
    """
    source = program("smtp-source")
    if source is None:
        say("smtp-source is not installed (Debian: postfix): there is no floor to compare with")
        return 0.0, ""
    file = place.folder / "floor.txt"
    # smtp-source doubles the dots and adds the line ends itself.
    lines = [line[1:] if line.startswith(b".") else line for line in mail.split(b"\r\n")]
    file.write_bytes(b"\n".join(lines))
    best = (0.0, "")
    for sessions in SESSIONS:
        with fast_sink(place.folder) as sink:
            cost = _blast(source, file, sink, sessions, mails)
        rate = row(f"floor: smtp-source, {sessions} sessions", mails, cost)
        best = max(best, (rate, f"{sessions} sessions"))
    return best


def _blast(source: str, file: Path, sink: Sink, sessions: int, mails: int) -> Cost:
    command = [source, "-d", "-F", str(file), "-s", str(sessions), "-m", str(mails)]
    command += ["-f", "bounce@provider.example", "-t", "worker@lindgren.example", f"127.0.0.1:{sink.port}"]
    before = os.times()
    with metered(sink=sink.pid) as cost:
        subprocess.run(command, check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    cost.cpu = {"source": used, **cost.cpu}
    return cost


def measure_django(place: Place, mails: int) -> float:
    """Django's own way at the same sink, with one and with four threads; the faster one counts."""
    mail = question("en")
    parts = {"subject": mail.subject, "txt": mail.text, "html": mail.html}
    for ending, text in parts.items():
        template = TOKEN.sub(r"/\1/{{ token }}", text).replace(NAME, "{{ name }}")
        (place.folder / f"peer.{ending}").write_text(template, encoding="utf-8")
    rates = []
    for threads in (1, 4):
        with fast_sink(place.folder) as sink:
            rates.append(_send_by_django(place, sink, mails, threads))
    return max(rates)


def _send_by_django(place: Place, sink: Sink, mails: int, threads: int) -> float:
    command = [sys.executable, "-m", "bench.mail.django_way", f"--folder={place.folder}"]
    command += [f"--port={sink.port}", f"--count={mails}", f"--threads={threads}"]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(place, sink.port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        with metered(sender=pid, sink=sink.pid, postgres=place.postgres) as cost:
            process.stdin.write("go\n")
            process.stdin.flush()
            sent = int(process.stdout.readline() or 0)
        process.stdin.write("done\n")
        process.stdin.flush()
        process.wait()
    if sent != mails:
        raise SystemExit(f"Django's own way sent {sent} of {mails}")
    return row(f"peer: Django's own way, {threads} thread{'s' * (threads > 1)}", mails, cost)
