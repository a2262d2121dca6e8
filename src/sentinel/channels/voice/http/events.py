"""What the service's reports mean. Pure: a report in, at most one event out.

The end of a call is told several times and in any order: by the owner's leg, by the worker's, and by the
request that asks what to do after the worker's leg. Only what is certain becomes an end here, so that
whichever comes first, the end is the same. Why a worker's leg rang in vain is certain only after it: the time
was up, or the owner hung up meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from sentinel.channels.voice.base import CallEvent, CallState, CallStatus, EndReason, Leg
from sentinel.channels.voice.http.addresses import Address

_MOST_FIELDS = 100
#: What the service says of a leg that nobody talked on.
IN_VAIN = {
    "busy": EndReason.BUSY,
    "no-answer": EndReason.NO_ANSWER,
    "failed": EndReason.UNREACHABLE,
    "canceled": EndReason.CANCELLED,
}
#: How far a leg is that nobody has answered, or both talk on.
_OWNERS = {"initiated": CallState.DIALING_OWNER, "ringing": CallState.OWNER_RINGS}
_WORKERS = {"ringing": CallState.WORKER_RINGS, "in-progress": CallState.BRIDGED}
_NO_PERSON = "answered, but nobody pressed 1"
_NOTHING_TO_SAY = "answered, but the voice service could not fetch what to say from SENTINEL_BASE_URL"
_OWNER_LEFT = "the owner hung up while the worker's telephone rang"
#: After a leg that rang in vain we speak one sentence: an owner's leg that ends sooner was hung up.
_A_SENTENCE = timedelta(seconds=2)


class Form(dict[str, list[str]]):
    """The fields of a request, in the shape that the library's signature check reads."""

    @classmethod
    def read(cls, body: bytes) -> Form:
        """Raises ValueError for what is no form."""
        form = cls()
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        for name, value in pairs:
            form.setdefault(name, []).append(value)
        return form

    def getall(self, name: str) -> list[str]:
        """Every value of a field."""
        return self[name]

    def first(self, name: str) -> str:
        """The value of a field; empty without one."""
        return self[name][0] if name in self else ""

    def number(self, name: str) -> int:
        """A field that holds a number; 0 otherwise."""
        text = self.first(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """A verified request of the service. ``ref`` names the owner's leg, also in reports of the worker's."""

    address: Address
    form: Form
    now: datetime

    @property
    def ref(self) -> str:
        return self.address.of or self.form.first("CallSid")

    @property
    def status(self) -> str:
        return self.form.first("CallStatus")

    def event(
        self,
        state: CallState,
        leg: Leg | None,
        *,
        reason: EndReason | None = None,
        detail: str = "",
        talk_seconds: int = 0,
    ) -> CallEvent:
        """An event of this report; a repeat of the report gives the same id."""
        said = self.form.first("DialCallStatus") or self.form.first("AnsweredBy") or self.status
        number = self.form.first("SequenceNumber") or str(self.address.turn)
        identity = f"{self.form.first('CallSid')}:{self.address.step.value}:{number}:{said}"
        return CallEvent(
            key=self.address.key,
            ref=self.ref,
            event_id=identity[:120],
            state=state,
            at=_instant(self.form.first("Timestamp"), self.now),
            leg=leg,
            reason=reason,
            detail=detail[:300],
            talk_seconds=talk_seconds,
        )


def of_owner(report: Report) -> CallEvent | None:
    """How far the owner's leg has come. Its plain end says nothing by itself: see :func:`verdict`."""
    status = report.status
    if status in ("queued", "initiated"):
        return report.event(CallState.DIALING_OWNER, Leg.OWNER)
    if status == "ringing":
        return report.event(CallState.OWNER_RINGS, Leg.OWNER)
    if status == "in-progress":
        return report.event(CallState.OWNER_ANSWERED, Leg.OWNER)
    if status in IN_VAIN:
        return report.event(CallState.ENDED, Leg.OWNER, reason=IN_VAIN[status], detail=_words(report.form))
    return None


def no_person(report: Report, *, is_unwanted: bool = False) -> CallEvent:
    """Somebody or something answered at the owner's, and did not press 1; ``is_unwanted``: nor was asked to,
    because somebody wanted the call to end."""
    if is_unwanted:
        return report.event(CallState.ENDED, Leg.OWNER, reason=EndReason.CANCELLED)
    return report.event(CallState.ENDED, Leg.OWNER, reason=EndReason.NO_ANSWER, detail=_NO_PERSON)


def unspoken(report: Report) -> CallEvent:
    """The telephone of a test was answered, and the service never asked what to say."""
    return report.event(CallState.ENDED, None, reason=EndReason.FAILED, detail=_NOTHING_TO_SAY)


def of_worker(report: Report, *, finds_machines: bool) -> CallEvent | None:
    """How far the worker's leg has come. Where machines are looked for, an answer is no person yet."""
    status, form = report.status, report.form
    if status == "in-progress":
        reached = CallState.WORKER_RINGS if finds_machines else CallState.BRIDGED
        return report.event(reached, Leg.WORKER)
    if status == "completed":
        return _talked(report, form.number("CallDuration"))
    if status in ("busy", "failed"):
        return report.event(CallState.ENDED, Leg.WORKER, reason=IN_VAIN[status], detail=_words(form))
    if status == "ringing":
        return report.event(CallState.WORKER_RINGS, Leg.WORKER)
    if status in ("queued", "initiated", "no-answer", "canceled"):
        return report.event(CallState.DIALING_WORKER, Leg.WORKER, detail=_words(form))
    return None


def after_worker(report: Report) -> CallEvent | None:
    """The worker's leg is over; whether the owner is still there tells a worker who does not answer from an
    owner who has hung up."""
    said = report.form.first("DialCallStatus")
    if said in ("completed", "answered"):
        return _talked(report, report.form.number("DialCallDuration"))
    has_left = report.status not in ("in-progress", "")
    if said == "canceled" or (said == "no-answer" and has_left):
        return report.event(CallState.ENDED, Leg.OWNER, reason=EndReason.CANCELLED, detail=_OWNER_LEFT)
    if said in IN_VAIN:
        return report.event(CallState.ENDED, Leg.WORKER, reason=IN_VAIN[said])
    return None


def of_machine(report: Report) -> CallEvent:
    """Who answered at the worker's; in doubt, a person."""
    if is_machine(report.form.first("AnsweredBy")):
        return report.event(CallState.ENDED, Leg.WORKER, reason=EndReason.MACHINE)
    return report.event(CallState.BRIDGED, Leg.WORKER)


def is_machine(answered_by: str) -> bool:
    """Whether the service heard voicemail or a fax; "human" and "unknown" are people."""
    return answered_by.startswith("machine") or answered_by == "fax"


@dataclass(frozen=True, kw_only=True)
class LegFacts:
    """One leg as the service lists it."""

    status: str
    ended_at: datetime | None = None
    seconds: int = 0
    answered_by: str = ""


def verdict(owner: LegFacts, worker: LegFacts | None) -> CallStatus | None:
    """Where a call stands, of both its legs; None while the service itself does not know."""
    if owner.status in IN_VAIN:
        return _ended(IN_VAIN[owner.status], Leg.OWNER)
    if owner.status not in ("in-progress", "completed"):
        return _at(_OWNERS.get(owner.status, CallState.REQUESTED))
    is_over = owner.status == "completed"
    if worker is None:
        return _ended(EndReason.NO_ANSWER, Leg.OWNER) if is_over else _at(CallState.OWNER_ANSWERED)
    if worker.status == "completed":
        if is_machine(worker.answered_by):
            return _ended(EndReason.MACHINE, Leg.WORKER)
        return CallStatus(state=CallState.ENDED, reason=EndReason.COMPLETED, talk_seconds=worker.seconds)
    if worker.status in ("busy", "failed"):
        return _ended(IN_VAIN[worker.status], Leg.WORKER)
    if worker.status in IN_VAIN:
        if is_over and (worker.status == "canceled" or not _heard_why(owner, worker)):
            return _ended(EndReason.CANCELLED, Leg.OWNER)
        return _ended(EndReason.NO_ANSWER, Leg.WORKER)
    if is_over:
        return None  # the service has not closed its books yet
    return _at(_WORKERS.get(worker.status, CallState.DIALING_WORKER))


def _heard_why(owner: LegFacts, worker: LegFacts) -> bool:
    """Whether the owner stayed to hear that nobody answered."""
    if owner.ended_at is None or worker.ended_at is None:
        return True
    return owner.ended_at - worker.ended_at >= _A_SENTENCE


def _at(state: CallState) -> CallStatus:
    return CallStatus(state=state, reason=None, talk_seconds=0)


def _ended(reason: EndReason, leg: Leg) -> CallStatus:
    return CallStatus(state=CallState.ENDED, reason=reason, talk_seconds=0, leg=leg)


def _talked(report: Report, seconds: int) -> CallEvent:
    if is_machine(report.form.first("AnsweredBy")):
        return report.event(CallState.ENDED, Leg.WORKER, reason=EndReason.MACHINE)
    return report.event(CallState.ENDED, None, reason=EndReason.COMPLETED, talk_seconds=seconds)


def _words(form: Mapping[str, list[str]]) -> str:
    """What the telephone network itself said, where it is passed on."""
    code = form.get("SipResponseCode", [""])[0]
    return f"the telephone network answered {code[:3]}" if code.isdigit() else ""


def _instant(text: str, now: datetime) -> datetime:
    """When it happened by the service's clock, as long as that is near ours."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return now
    return at if at.tzinfo is not None and abs(at - now) < timedelta(minutes=10) else now
