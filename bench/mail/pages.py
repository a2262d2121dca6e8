"""Workers who answer: a steady stream of visits to the answer page, whatever else the machine is doing."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from sentinel.kernel.links import Purpose
from sentinel.ui.links import public_path

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROXY = {"X-Forwarded-Proto": "https", "User-Agent": "Mozilla/5.0 (bench)"}


@dataclass
class Visits:
    """How long each request took, seconds, and when each frown's answer came (by check-in)."""

    looks: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    frowned_at: dict[int, float] = field(default_factory=dict)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def visit(port: int, check_ins: list[int], *, frowns: set[int], a_second: float, seconds: float) -> Visits:
    """Each check-in is opened and answered in turn, at a rate that does not wait for slow answers.

    Check-ins in `frowns` get a frown with words, which opens a problem; the others a smile.
    """
    visits, threads = Visits(), []
    began = time.perf_counter()
    for number, check_in in enumerate(check_ins):
        due = began + number / a_second
        if due > began + seconds:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        thread = threading.Thread(target=_answer, args=(port, check_in, check_in in frowns, visits))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return visits


def _answer(port: int, check_in: int, is_frown: bool, visits: Visits) -> None:
    face = "frown" if is_frown else "happy"
    path = public_path(Purpose.ANSWER, check_in, face, today=datetime.now(UTC).date())
    took = _request(port, "GET", path, None, 200, visits)
    visits.looks.append(took)
    fields = {"face": face, "trusted": "1", "script_ran": "1", "may_call": "yes", "language": "en"}
    if is_frown:
        fields |= {"text": f"The printer of check-in {check_in} eats every page", "severity": "stopped"}
    took = _request(port, "POST", path, urlencode(fields), 303, visits)
    if is_frown:
        visits.frowned_at[check_in] = time.time()
    visits.answers.append(took)


def _request(port: int, method: str, path: str, body: str | None, expected: int, visits: Visits) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, PROXY | (FORM if body else {}))
        response = connection.getresponse()
        response.read()
        if response.status != expected:
            visits.wrong.append(f"{method} {response.status}")
    except OSError as error:
        visits.wrong.append(f"{method} {error!r}")
    finally:
        connection.close()
    return time.perf_counter() - began
