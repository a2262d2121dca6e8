"""The lives of calls at the fake voice service: telephones, people, and TwiML, followed verb by verb."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from twilio.request_validator import RequestValidator

SENTENCE_SECONDS = 3
OVER = ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(frozen=True, kw_only=True)
class Person:
    """What happens at a telephone. ``presses`` are the digits one after the other, "" waits in silence.

    ``leaves``: hangs up at that point. ``talks``: for so long, then this one hangs up, unless the other
    leaves "while talking". ``is_machine``: voicemail answers.
    """

    does: Literal["answers", "is busy", "lets it ring", "is unknown"] = "answers"
    presses: tuple[str, ...] = ("1",)
    leaves: Literal["", "in the whisper", "while it rings", "while talking"] = ""
    talks: int = 60
    is_machine: bool = False


@dataclass
class Call:
    """One leg."""

    sid: str
    created_at: datetime
    to: str
    caller: str
    url: str = ""
    callback: str = ""
    wanted: tuple[str, ...] = ()
    ring_seconds: int = 30
    parent: str = ""
    status: str = "queued"
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    seconds: int = 0
    answered_by: str = ""
    sent: int = 0
    is_ended_by_request: bool = False

    def change(self, status: str, now: datetime) -> None:
        """As the interface does: cancelling leaves a talk alone, completing ends whatever there is."""
        if self.status in OVER or (status == "canceled" and self.status == "in-progress"):
            return
        self.is_ended_by_request = True
        self.end("completed" if self.status == "in-progress" else "canceled", now)

    def end(self, status: str, now: datetime) -> None:
        self.status, self.ended_at = status, now
        if self.answered_at is not None:
            self.seconds = int((now - self.answered_at).total_seconds())

    def answer(self, now: datetime) -> None:
        self.status, self.answered_at = "in-progress", now


@dataclass(frozen=True)
class Callback:
    """One report: where it goes, what it says."""

    url: str
    fields: dict[str, str]


@dataclass
class Web:
    """Our side of the wire, as the service calls it. ``copies``: how often each report is sent; while
    ``is_holding`` reports wait in ``held``. ``kept``: all that were sent, with what was answered. ``said``:
    what people heard, and in which language."""

    token: str
    account: str
    copies: int = 1
    is_holding: bool = False
    held: list[Callback] = field(default_factory=list)
    kept: list[tuple[Callback, int]] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, callback: Callback) -> None:
        """Send a report, when and as often as the test wants."""
        if self.is_holding:
            self.held.append(callback)
            return
        for _ in range(self.copies):
            self.ask(callback)

    def ask(self, callback: Callback) -> str:
        """Send a request and return what was answered; empty when it was refused."""
        signature = RequestValidator(self.token).compute_signature(callback.url, callback.fields)
        request = urllib.request.Request(
            callback.url,
            data=urlencode(callback.fields).encode(),
            headers={"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.kept.append((callback, answer.status))
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                self.kept.append((callback, error.code))
            return ""


class Service(Protocol):
    """What a life needs of the service."""

    people: dict[str, Person]
    web: Web

    @property
    def now(self) -> datetime: ...

    def pass_time(self, seconds: float) -> None: ...

    def add(self, **facts: Any) -> Call: ...


_NOBODY = Person(does="lets it ring")
_VAIN = {"is busy": "busy", "lets it ring": "no-answer", "is unknown": "failed"}


def lives(service: Service, call: Call) -> Iterator[str]:
    """The life of an owner's leg, with a stop at each point that a test may want to step in at."""
    person = service.people.get(call.to, _NOBODY)
    yield "queued"
    if call.status in OVER:
        _report(service, call, "completed")
        return
    yield from _rings(service, call, person, "the owner's telephone rings")
    if call.status in OVER:
        _report(service, call, "completed")
        return
    _report(service, call, "answered")
    presses = list(person.presses)
    document = _ask(service, call, call.url)
    while document is not None and call.status not in OVER:
        document = yield from _verbs(service, call, person, presses, document)
    if call.status not in OVER:
        call.end("completed", service.now)
    _report(service, call, "completed")


def _rings(service: Service, call: Call, person: Person, point: str) -> Iterator[str]:
    """Until somebody answers, or nobody does."""
    _report(service, call, "initiated")
    call.status = "ringing"
    service.pass_time(1)
    _report(service, call, "ringing")
    yield point
    if call.status in OVER:
        return
    service.pass_time(call.ring_seconds if person.does == "lets it ring" else 2)
    if person.does == "answers":
        call.answer(service.now)
    else:
        call.end(_VAIN[person.does], service.now)


def _verbs(
    service: Service, call: Call, person: Person, presses: list[str], document: ET.Element
) -> Generator[str, None, ET.Element | None]:
    """Follow one document; what comes after it is the next one."""
    for verb in document:
        for sentence in verb.iter("Say"):
            service.web.said.append((str(sentence.text), sentence.attrib["language"]))
            service.pass_time(SENTENCE_SECONDS)
        if verb.tag == "Say":
            continue
        if verb.tag == "Gather":
            yield "the whisper was said"
            if person.leaves == "in the whisper":
                call.end("completed", service.now)
            if call.status in OVER:
                return None
            digit = presses.pop(0) if presses else ""
            if digit:
                return _ask(service, call, verb.attrib["action"], Digits=digit)
            service.pass_time(int(verb.attrib["timeout"]))
        elif verb.tag == "Redirect":
            return _ask(service, call, str(verb.text))
        elif verb.tag == "Dial":
            return (yield from _dials(service, call, person, verb))
        else:
            assert verb.tag == "Hangup", f"{verb.tag} is not spoken here"
            return None
    return None


def _dials(
    service: Service, call: Call, person: Person, dial: ET.Element
) -> Generator[str, None, ET.Element | None]:
    (number,) = dial
    assert number.tag == "Number"
    leg = service.add(
        to=str(number.text),
        caller=dial.attrib["callerId"],
        parent=call.sid,
        callback=number.attrib["statusCallback"],
        wanted=tuple(number.attrib["statusCallbackEvent"].split()),
        ring_seconds=int(dial.attrib["timeout"]),
    )
    other = service.people.get(leg.to, _NOBODY)
    for point in _rings(service, leg, other, "the worker's telephone rings"):
        yield point
        if person.leaves == "while it rings":
            call.end("completed", service.now)
        if call.status in OVER:
            leg.end("no-answer", service.now)
    if leg.status == "in-progress":
        yield from _talks(service, call, leg, person, other, number)
    _report(service, leg, "completed")
    if call.is_ended_by_request:
        return None
    has_talked = leg.status == "completed"
    seconds = {"DialCallDuration": str(leg.seconds)} if has_talked else {}
    return _ask(
        service, call, dial.attrib["action"], DialCallStatus=leg.status, DialCallSid=leg.sid, **seconds
    )


def _talks(
    service: Service, call: Call, leg: Call, person: Person, other: Person, number: ET.Element
) -> Iterator[str]:
    _report(service, leg, "answered")
    yield "they talk"
    if "machineDetection" in number.attrib:
        service.pass_time(4)
        leg.answered_by = "machine_start" if other.is_machine else "human"
        found = {"CallSid": leg.sid, "AccountSid": service.web.account, "AnsweredBy": leg.answered_by}
        service.web.tell(Callback(number.attrib["amdStatusCallback"], found))
    if call.status not in OVER:
        service.pass_time(other.talks)
        if person.leaves == "while talking":
            call.end("completed", service.now)
    leg.end("completed", service.now)


def _report(service: Service, call: Call, event: str) -> None:
    """Tell what the address was promised to hear."""
    if event not in call.wanted:
        return
    fields = {
        **_fields(service, call),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.sent),
        "Timestamp": format_datetime(service.now),
    }
    if event == "initiated":
        fields["CallStatus"] = "initiated"
    if event == "completed" and call.status == "completed":
        fields["CallDuration"] = str(call.seconds)
    if call.answered_by:
        fields["AnsweredBy"] = call.answered_by
    call.sent += 1
    service.web.tell(Callback(call.callback, fields))


def _ask(service: Service, call: Call, url: str, **more: str) -> ET.Element | None:
    """Ask what to do next. A document that comes for a call that is over is not followed."""
    answer = service.web.ask(Callback(url, {**_fields(service, call), **more}))
    if not answer:
        service.pass_time(SENTENCE_SECONDS)  # to say that something has gone wrong
    return ET.fromstring(answer) if answer and call.status not in OVER else None


def _fields(service: Service, call: Call) -> dict[str, str]:
    parent = {"ParentCallSid": call.parent} if call.parent else {}
    return {
        "CallSid": call.sid,
        "AccountSid": service.web.account,
        "From": call.caller,
        "To": call.to,
        "CallStatus": call.status,
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-dial" if call.parent else "outbound-api",
        **parent,
    }


__all__ = ["Call", "Callback", "Person", "Web", "lives"]
