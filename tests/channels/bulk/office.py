"""A run of check-ins in the test's database, and the real sender working on it in a thread or a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection, connections

from sentinel.bulk.models import Delivery, DomainLane, Edition, Run, SenderState, Template
from sentinel.channels.email.bulk.sender import Sender
from sentinel.channels.email.bulk.settings import RelaySettings, Settings
from tests.fakes.smtp_sink import Sink

CHECKOUT = Path(__file__).resolve().parents[3]
SECRET = "only-for-tests-" + "x" * 32
ISSUED = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
SENDER = "care@provider.example"
PATIENCE_SECONDS = 30.0
_BETWEEN = "@provider.example>\r\nList-Unsubscribe: <https://s.example/u/"
_HEAD = (
    "/>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Hello =\r\n"
)
_TEMPLATE = (
    "sentinel-template-1", "From: ", "r:from", "\r\nTo: ", "r:to", "\r\nSubject: One question\r\nDate: ",
    "r:date", "\r\nMessage-ID: <rd-", "r:reply", _BETWEEN, "r:unsubscribe", _HEAD, "t:name",
    ",\r\nhttps://s.example/a/=\r\n", "r:answer",
    "=\r\n/frown/\r\nhttps://s.example/s/=\r\n", "r:preferences", "=\r\n/\r\nbye\r\n",
)  # fmt: skip


def launch(
    *addresses: str,
    many: int = 0,
    domains: int = 5,
    day: int = 0,
    after_crash: str = "resend",
    **columns: Any,
) -> Run:
    """A run with these addresses, or with ``many`` invented ones spread over ``domains``."""
    wanted = [*addresses, *(f"w{n}@d{n % domains}.example" for n in range(many))]
    # The real clock is not asked: what is due is due since long ago.
    at = ISSUED
    run = Run.objects.create(
        programme_id=1, day=at.date() + timedelta(days=day), name=f"run {day}", created_at=at,
        total=len(wanted), after_crash=after_crash,
    )  # fmt: skip
    compiled = "\0".join(_TEMPLATE).encode()
    template, _ = Template.objects.get_or_create(
        key="k", defaults={"language": "en", "compiled": compiled, "created_at": at}
    )
    edition = Edition.objects.create(
        run=run,
        template=template,
        key="e",
        sender="care@provider.example",
        shared={"from": "care@provider.example"},
    )
    start = (Delivery.objects.order_by("-check_in_id").values_list("check_in_id", flat=True).first() or 0) + 1
    Delivery.objects.bulk_create(
        Delivery(
            run=run, edition=edition, check_in_id=start + n, worker_id=start + n, account_id=1,
            name=f"Worker {n}", address=address, domain=address.rpartition("@")[2], issued_at=at, next_at=at,
            **columns,
        )
        for n, address in enumerate(wanted)
    )  # fmt: skip
    return run


def conninfo() -> str:
    """The test's database, for libpq."""
    wanted = connection.settings_dict
    if wanted["HOST"].startswith("/"):
        return f"postgresql://{wanted['USER']}@/{wanted['NAME']}?host={quote(wanted['HOST'], safe='')}"
    login = f"{wanted['USER']}:{quote(wanted['PASSWORD'], safe='')}"
    return f"postgresql://{login}@{wanted['HOST']}:{wanted['PORT'] or 5432}/{wanted['NAME']}"


def relay(sink: Sink, **options: Any) -> RelaySettings:
    return RelaySettings(**{"host": "127.0.0.1", "port": sink.port, "connections": 10, **options})


def told(*relays: RelaySettings, **options: Any) -> Settings:
    return Settings(
        **{
            "conninfo": conninfo(), "secrets": (SECRET,), "base_url": "https://s.example", "relays": relays,
            "reply_domain": "in.sentinel.example", "hello_name": "s.example", **options,
        }
    )  # fmt: skip


class RunningSender:
    """The sender on a loop of its own in a thread; leaving the block stops it the way SIGTERM does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failed: BaseException | None = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._send())
        except BaseException as error:
            self.failed = error
        finally:
            self._loop.close()

    async def _send(self) -> None:
        self._stop = asyncio.Event()
        await Sender(self._settings, self._stop).run()

    def __enter__(self) -> RunningSender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            wait_until(lambda: self._stop is not None)
            assert self._stop is not None
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        assert self.failed is None, self.failed


@contextmanager
def sending(*relays: RelaySettings, **options: Any) -> Iterator[RunningSender]:
    with RunningSender(told(*relays, **options)) as sender:
        yield sender


class SenderProcess:
    """The sender as the process that it is, for tests that kill it."""

    def __init__(self, settings: Settings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sentinel.channels.email.bulk"],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=CHECKOUT,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(settings.to_json().encode())
        self._process.stdin.close()

    def kill(self) -> None:
        """SIGKILL: no clean-up, no last words."""
        self._process.kill()
        self._process.wait(timeout=10)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=20)


def wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again; fail loudly when it never becomes so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {states()} {list(Run.objects.values())}"
        time.sleep(0.01)


def states(run: Run | None = None) -> dict[str, int]:
    rows = Delivery.objects.all() if run is None else Delivery.objects.filter(run=run)
    counted: dict[str, int] = {}
    for state in rows.values_list("state", flat=True):
        counted[state] = counted.get(state, 0) + 1
    return counted


def sent(run: Run) -> int:
    run.refresh_from_db()
    return run.sent


def delivery_to(address: str) -> Delivery:
    return Delivery.objects.get(address=address)


def counters(run: Run) -> dict[str, int]:
    run.refresh_from_db()
    names = ("sent", "failed", "deferred", "ambiguous", "repeated")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


def lane(domain: str) -> DomainLane:
    return DomainLane.objects.get(domain=domain)


def relay_reports() -> list[dict[str, Any]]:
    state = SenderState.objects.filter(pk=1).first()
    return list(state.relays) if state else []


def trouble() -> str:
    """What the first relay complains about, as people read it."""
    reports = relay_reports()
    return str(reports[0]["trouble"]) if reports else ""


def forget_connections() -> None:
    connections.close_all()
