"""Why was this worker not asked? One answer for everybody, from the plan to the mail server's words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery, DomainLane
from sentinel.bulk.selectors import delivery_of_check_in, sender_state
from sentinel.bulk.states import DeliveryState, RunState
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState, WhyNot, words_of
from sentinel.checkins.selectors import check_ins_of_worker
from sentinel.outbox.selectors import message_by_key
from sentinel.workflows.check_in_facts import why_not_asked_now
from sentinel.workflows.report_deliveries import answer_words

_ARRIVED = ("accepted", "delivered")


def why_not_asked_words(worker: Worker, now: datetime) -> tuple[str, ...]:
    """Plain sentences, the newest fact first; never empty. Instants in the site's time.

    What forbids asking now, what became of the newest check-in (and where its mail is, with the mail
    server's own words), and when the next one is planned. ``worker`` comes with ``site__account``.
    """
    zone = ZoneInfo(worker.site.zone)
    decided = check_ins_of_worker(worker.pk).exclude(state=CheckInState.PLANNED.value)
    last = decided.order_by("-planned_for", "-pk").first()
    lines = [_sentence(words_of(reason)) for reason in why_not_asked_now([worker], now)[worker.pk]]
    if last is None:
        lines.append("This worker was never asked yet.")
    else:
        lines += _about_last(last, zone)
    lines.append(_about_next(worker, now, zone))
    return tuple(dict.fromkeys(lines))


def _about_last(last: CheckIn, zone: ZoneInfo) -> list[str]:
    delivery = delivery_of_check_in(last.pk)
    if delivery is not None and delivery.state != DeliveryState.SKIPPED.value:
        return _about_delivery(delivery, zone)
    if last.state == CheckInState.SKIPPED.value:
        reasons = [words_of(WhyNot(value)) for value in last.reason.split(",") if value in set(WhyNot)]
        why = "; ".join(reasons) or "for a reason that is not on record"
        return [f"The check-in of {_day(last.planned_for, zone)} was let pass: {why}."]
    message = message_by_key(f"check_in:{last.pk}")
    sent = f"The check-in of {_day(last.sent_at or last.planned_for, zone)} was sent"
    if message is None or message.state in _ARRIVED:
        return [f"{sent}."]
    words = f": {message.last_error}" if message.last_error else ""
    return [f"{sent}, and its mail is {message.state}{words}."]


def _about_delivery(delivery: Delivery, zone: ZoneInfo) -> list[str]:
    day = _day(delivery.issued_at, zone)
    words = f" The mail server said: {answer_words(delivery)}." if delivery.answer or delivery.code else ""
    match DeliveryState(delivery.state):
        case DeliveryState.SENT:
            at = _moment(delivery.settled_at or delivery.issued_at, zone)
            return [f"The check-in of {day} was taken by the worker's mail server at {at}.{words}"]
        case DeliveryState.FAILED:
            return [f"The check-in of {day} was refused for good after {_tries(delivery.attempts)}.{words}"]
        case DeliveryState.DEFERRED:
            again = _moment(delivery.next_at, zone)
            return [f"The check-in of {day} was put off; the next try is at {again}.{words}"]
        case _:
            waits = f"The check-in of {day} is on its way and waits for its turn."
            return [waits, *_what_holds(delivery)]


def _what_holds(delivery: Delivery) -> list[str]:
    held = []
    sender, run = sender_state(), delivery.run
    if sender.paused_at is not None:
        held.append(f"All check-ins stand still: {sender.paused_reason}.")
    if run.state == RunState.PAUSED.value:
        held.append(f"Its run was stopped: {run.state_reason}.")
    lane = DomainLane.objects.filter(domain=delivery.domain, paused_at__isnull=False).first()
    if lane is not None:
        held.append(f"Nothing goes to {lane.domain}: {lane.paused_reason}.")
    if delivery.state == DeliveryState.BEGUN.value and delivery.reason == "held":
        held.append("A crash left it unclear whether it went out; a person decides.")
    return held


def _about_next(worker: Worker, now: datetime, zone: ZoneInfo) -> str:
    planned = check_ins_of_worker(worker.pk).filter(state=CheckInState.PLANNED.value).first()
    if planned is None:
        return "No check-in is planned."
    if planned.planned_for <= now:
        return "The next check-in is due and goes out in the site's send window."
    return f"The next check-in is planned for {_moment(planned.planned_for, zone)}."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _tries(number: int) -> str:
    return "one try" if number == 1 else f"{number} tries"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%-d %B %Y}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%-d %B %Y, %H:%M}"
