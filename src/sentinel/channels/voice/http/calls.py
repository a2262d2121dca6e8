"""The call port over a voice service: requests out, signed reports in. No state of its own but timers.

Thread-safe. Every process may have one: the engine places calls by it, the web reads reports by it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from sentinel.channels.voice.base import (
    Accepted,
    CallEvent,
    CallState,
    CallStatus,
    Capabilities,
    EndReason,
    Intent,
    Leg,
    Placed,
    Reachability,
    Rejected,
    Unavailable,
    rank,
)
from sentinel.channels.voice.http import addresses, events, twiml
from sentinel.channels.voice.http.addresses import Address, Plan, Step
from sentinel.channels.voice.http.books import Books, Known
from sentinel.channels.voice.http.events import Form, LegFacts, Report
from sentinel.channels.voice.http.service import client_of, failed
from sentinel.channels.voice.http.settings import HttpSettings
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

OnEvent = Callable[[CallEvent], None]

_E164 = re.compile(r"\+[1-9][0-9]{3,14}")
_WAITING = ("queued", "initiated")
_NOT_ANSWERED = (*_WAITING, "ringing")
#: Our clock and the service's are not the same.
_CLOCKS_DIFFER = timedelta(seconds=5)
_MOST_LISTED = 50
#: The service ends the whole call itself should everything else fail: the whisper takes at most this.
_WHISPER_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a report leads to. ``twiml``: what the service shall do next, where it asked. ``hangs_up``: the
    reference of a call that must be ended by a request of our own."""

    events: Sequence[CallEvent] = ()
    twiml: str | None = None
    hangs_up: str = ""


class HttpVoice:
    """Places calls through one account at one service.

    ``on_event`` hears what no report says: that a call was taken back. ``books``: what our rows say.
    """

    provider = "http_voice"

    def __init__(
        self,
        settings: HttpSettings,
        on_event: OnEvent | None = None,
        *,
        books: Books,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._books = books
        self._now = now
        self._client: Any = client_of(settings)
        self._calls: Any = self._client.calls
        self._validator = RequestValidator(settings.token)
        self._timers: set[threading.Timer] = set()
        self.capabilities = Capabilities(
            bridges=True, callbacks=True, idempotent=False, detects_machines=settings.finds_machines
        )

    # --- the port

    def place(self, intent: Intent, now: datetime) -> Placed:
        """Let the owner's telephone ring. ``Unclear``: ask :meth:`find` before anything is repeated."""
        caller = intent.caller_id or self._settings.caller
        for number in (intent.owner_number, intent.worker_number or intent.owner_number, caller):
            if _E164.fullmatch(number) is None:
                return Rejected(permanent=True, reason="a voice service calls numbers with country code only")
        plan = addresses.plan_of(intent, caller=caller)
        try:
            call = self._calls.create(
                to=intent.owner_number,
                from_=caller,
                url=self._address(intent.key, Step.WHISPER, plan=plan),
                method="POST",
                status_callback=self._address(intent.key, Step.OWNER),
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                status_callback_method="POST",
                timeout=intent.ring_owner_seconds,
                time_limit=intent.longest_seconds + intent.ring_worker_seconds + _WHISPER_SECONDS,
            )
        except Exception as error:  # whatever it is, somebody must decide whether a telephone rings
            return failed(error)
        ref = str(call.sid)
        self._watch(intent.key, ref)
        return Accepted(ref)

    def find(self, key: str, since: datetime) -> str | None:
        """The service's name of the call of a placing that was unclear; None when it has no such call.

        What the service has said about the key itself is certain. Otherwise the newest call from our number
        to the owner's since then that belongs to no other key is taken for it. Raises Unavailable.
        """
        known = self._books.known(key)
        if known is None:
            return None
        if known.ref:
            return known.ref
        try:
            listed = self._calls.list(
                to=known.owner_number, from_=self._settings.caller, limit=_MOST_LISTED, page_size=_MOST_LISTED
            )
        except Exception as error:
            raise Unavailable(failed(error).reason) from None
        for call in sorted(listed, key=lambda call: _utc(call.date_created), reverse=True):
            is_new = _utc(call.date_created) >= since - _CLOCKS_DIFFER
            if is_new and not self._books.is_taken(str(call.sid)):
                return str(call.sid)
        return None

    def status(self, ref: str) -> CallStatus | None:
        """Where a call stands; None when the service does not know it. Raises Unavailable."""
        try:
            owner = self._calls(ref).fetch()
            is_under_way = owner.status in ("in-progress", "completed")
            legs = self._calls.list(parent_call_sid=ref, limit=1) if is_under_way else []
        except Exception as error:
            _unless_unknown(error)
            return None
        found = events.verdict(_facts(owner), _facts(legs[0]) if legs else None)
        if found is None:
            raise Unavailable("the voice service has not closed its books about this call yet")
        if owner.status == "completed" and self._books.is_test(ref):
            return CallStatus(state=CallState.ENDED, reason=EndReason.COMPLETED, talk_seconds=0)
        return found

    def hang_up(self, ref: str) -> None:
        """End a call: take back a telephone that rings, end a talk. Raises Unavailable."""
        try:
            call = self._calls(ref).fetch()
            if call.status in _NOT_ANSWERED:
                call = self._calls(ref).update(status="canceled")
            # Answered between the two requests: cancelling leaves a talk alone.
            if call.status in (*_NOT_ANSWERED, "in-progress"):
                self._calls(ref).update(status="completed")
        except Exception as error:
            _unless_unknown(error)

    def read_webhook(
        self, *, url: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Sequence[CallEvent]:
        """The events in a request that the service signed; raises ValueError for any other."""
        return self.turn(self.verified(url=url, headers=headers, body=body, now=now)).events

    @property
    def peer(self) -> str:
        """The service's host; see CheckedPort."""
        return urlsplit(self._settings.api_url).netloc

    def check(self) -> Reachability:
        """Whether the service answers, and lets this account call. Rings nobody."""
        began = time.monotonic()
        try:
            account = self._client.api.account.fetch()
        except Exception as error:
            return Reachability(False, failed(error).reason, (time.monotonic() - began) * 1000)
        detail = f"the account is {account.status}"
        if str(account.type).lower() == "trial":
            detail += ", a trial account: it calls verified numbers only"
        return Reachability(account.status == "active", detail, (time.monotonic() - began) * 1000)

    def close(self) -> None:
        """Watch no call any more."""
        for timer in list(self._timers):
            timer.cancel()

    # --- reports

    def verified(self, *, url: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Report:
        """A request as a report. Raises :class:`NotSigned` without a good signature over exactly this address
        and body, and another ValueError when the address is none of ours."""
        form = Form.read(body)
        signature = {name.lower(): value for name, value in headers.items()}.get("x-twilio-signature", "")
        if not signature or not self._validator.validate(url, form, signature):
            raise NotSigned("not signed by the voice service")
        address = addresses.read(url, base_url=self._settings.base_url, secrets=self._settings.secrets)
        parent = form.first("ParentCallSid")
        is_foreign = form.first("AccountSid") not in ("", self._settings.account)
        if is_foreign or not form.first("CallSid") or (parent and address.of and parent != address.of):
            raise addresses.NotOurs("about no call of ours")
        return Report(address=address, form=form, now=now)

    def turn(self, report: Report) -> Turn:
        """What a report means, and what the service shall do next."""
        match report.address.step:
            case Step.OWNER:
                return Turn(events=_some(self._of_owner(report)))
            case Step.WHISPER:
                return self._whisper(report)
            case Step.PRESS:
                return self._press(report)
            case Step.WORKER:
                return Turn(events=_some(self._of_worker(report)))
            case Step.MACHINE:
                found = events.of_machine(report)
                return Turn(events=[found], hangs_up=report.ref if found.state is CallState.ENDED else "")
            case Step.AFTER:
                return self._after(report)

    def _of_owner(self, report: Report) -> CallEvent | None:
        if report.status != "completed":
            return events.of_owner(report)
        known = self._books.known(report.address.key)
        if known is not None and known.is_test:
            return events.unspoken(report)
        if known is not None and rank(known.state) < rank(CallState.DIALING_WORKER):
            return events.no_person(report, is_unwanted=known.is_over)
        # The worker's leg is over as well, and the service knows how: whatever else is said about the end
        # may come later, or never, when it was we who ended the call.
        return self._asked(report)

    def _asked(self, report: Report) -> CallEvent | None:
        """The end as the service itself knows it; None while it does not, or cannot be asked: whoever follows
        the call asks again."""
        try:
            status = self.status(report.ref)
        except Unavailable as error:
            logger.warning("how a call ended is not known yet: %s", error)
            return None
        if status is None or status.state is not CallState.ENDED:
            return None
        return report.event(
            CallState.ENDED, status.leg, reason=status.reason, talk_seconds=status.talk_seconds
        )

    def _of_worker(self, report: Report) -> CallEvent | None:
        event = events.of_worker(report, finds_machines=self._settings.finds_machines)
        return self._checked(report, event)

    def _checked(self, report: Report, event: CallEvent | None) -> CallEvent | None:
        """A talk may have been one with a machine, and the report about that may still be under way."""
        is_talk = event is not None and event.reason is EndReason.COMPLETED
        return self._asked(report) if is_talk and self._settings.finds_machines else event

    def _whisper(self, report: Report) -> Turn:
        plan, known = report.address.plan, self._books.known(report.address.key)
        if plan is not None and not plan.worker_number:
            # A test. Said now: who placed it may be another process, and later nobody knows that it was one.
            answered = report.event(CallState.ENDED, None, reason=EndReason.COMPLETED)
            return Turn(events=[answered], twiml=twiml.only_say(plan, voice=self._settings.voice))
        if plan is None or not _goes_on(known, report.ref):
            return Turn(twiml=twiml.goodbye())
        answered = report.event(CallState.OWNER_ANSWERED, Leg.OWNER)
        return Turn(events=[answered], twiml=self._ask(report, plan, turn=1))

    def _press(self, report: Report) -> Turn:
        plan, known = report.address.plan, self._books.known(report.address.key)
        if plan is None or not _goes_on(known, report.ref):
            return Turn(twiml=twiml.goodbye())
        if report.form.first("Digits") == "1":
            dialing = report.event(CallState.DIALING_WORKER, Leg.WORKER)
            return Turn(events=[dialing], twiml=self._connect(report, plan))
        if report.address.turn == 1:
            return Turn(twiml=self._ask(report, plan, turn=2))
        return Turn(events=[events.no_person(report)], twiml=twiml.goodbye())

    def _ask(self, report: Report, plan: Plan, *, turn: int) -> str:
        press = self._address(report.address.key, Step.PRESS, plan=plan, turn=turn)
        return twiml.whisper(plan, press_url=press, voice=self._settings.voice)

    def _connect(self, report: Report, plan: Plan) -> str:
        key, of = report.address.key, report.ref
        machine = self._address(key, Step.MACHINE, of=of) if self._settings.finds_machines else ""
        return twiml.connect(
            plan,
            after_url=self._address(key, Step.AFTER, plan=plan, of=of),
            worker_url=self._address(key, Step.WORKER, of=of),
            machine_url=machine,
        )

    def _after(self, report: Report) -> Turn:
        event, plan = self._checked(report, events.after_worker(report)), report.address.plan
        said = twiml.goodbye(
            event.reason if event else None,
            language=plan.language if plan else "en",
            voice=self._settings.voice,
        )
        return Turn(events=_some(event), twiml=said)

    def _address(self, key: str, step: Step, *, plan: Plan | None = None, of: str = "", turn: int = 1) -> str:
        address = Address(key=key, step=step, plan=plan, of=of, turn=turn)
        return addresses.write(address, base_url=self._settings.base_url, secrets=self._settings.secrets)

    # --- calls that wait in the service's queue

    def _watch(self, key: str, ref: str) -> None:
        timer = threading.Timer(self._settings.queue_seconds, self._take_back, (key, ref))
        timer.daemon = True
        self._timers = {other for other in self._timers if other.is_alive()} | {timer}
        timer.start()

    def _take_back(self, key: str, ref: str) -> None:
        """End a call that still waits for its turn: nobody wants a call that comes out of nowhere later."""
        try:
            if self._calls(ref).fetch().status not in _WAITING:
                return
            self._calls(ref).update(status="canceled")
        except Exception as error:
            logger.warning("a call that waits could not be taken back: %s", failed(error).reason)
            return
        if self._on_event is not None:
            self._on_event(
                CallEvent(
                    key=key,
                    ref=ref,
                    event_id=f"{ref}:queue",
                    state=CallState.ENDED,
                    at=self._now(),
                    reason=EndReason.FAILED,
                    detail=f"the voice service did not dial within {self._settings.queue_seconds:.0f} s",
                )
            )


class NotSigned(ValueError):
    """Whoever asks is not the service."""


def _unless_unknown(error: Exception) -> None:
    """Nothing when the service does not know the call; otherwise nobody knows."""
    if not isinstance(error, TwilioRestException) or error.status != 404:
        raise Unavailable(failed(error).reason) from None


def _goes_on(known: Known | None, ref: str) -> bool:
    """Whether somebody still wants this very call: not ended, not a second one of an unclear placing."""
    return known is not None and not known.is_over and known.ref in ("", ref)


def _facts(call: Any) -> LegFacts:
    return LegFacts(
        status=str(call.status),
        ended_at=_utc(call.end_time) if call.end_time else None,
        seconds=int(call.duration or 0),
        answered_by=str(call.answered_by or ""),
    )


def _utc(at: datetime | None) -> datetime:
    if at is None:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _some(event: CallEvent | None) -> list[CallEvent]:
    return [event] if event is not None else []
