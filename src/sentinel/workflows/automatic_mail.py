"""Mail that no hand wrote: absence notes, delivery reports, complaints. It never opens, reopens or confirms.

The signed envelope address (VERP) says whose mail came back; what a report itself names is only a
cross-check. An absence note is believed only in a thread of ours.
"""

from __future__ import annotations

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState
from sentinel.accounts.services.reachability import mark_bounced
from sentinel.bulk.models import DomainLane
from sentinel.bulk.services import pause_lane
from sentinel.inbound.reading import Grade, Report
from sentinel.inbound.rules import BLOCK_WINDOW, BLOCKED_WORKERS, SOFT_BOUNCES, SOFT_WINDOW, gravest
from sentinel.inbound.selectors import blocked_workers, soft_bounces_of
from sentinel.inbound.states import Outcome
from sentinel.people.models import User
from sentinel.people.reach import mark_mail_refused
from sentinel.problems.models import Problem
from sentinel.standing.rules import domain_of
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_worker
from sentinel.workflows.complaints import worker_complained
from sentinel.workflows.hand_on_notice import hand_on_bounced
from sentinel.workflows.mail_notices import tell_administrators, tell_of_bounce
from sentinel.workflows.mail_outcome import Arrival, Done
from sentinel.workflows.worker_away import worker_is_away

_GRADED = {
    Grade.HARD: Outcome.BOUNCED_HARD,
    Grade.SOFT: Outcome.BOUNCED_SOFT,
    Grade.BLOCK: Outcome.BLOCKED,
    Grade.DELAY: Outcome.DELAYED,
    Grade.IGNORE: Outcome.DELIVERED,
}


# -- absence notes and other automatic answers ------------------------------------------------------


def note_absence(arrival: Arrival) -> Done:
    """With a believable day of return, what waits for the worker waits until then; else it is only noted.
    The absence of whoever our mail was forwarded to is not the worker's."""
    worker, back_on = arrival.thread.worker, arrival.reading.back_on
    if (
        worker is not None
        and arrival.is_proven
        and arrival.is_own
        and worker_is_away(worker=worker, back_on=back_on, now=arrival.now)
    ):
        note = f"Away until {back_on:%Y-%m-%d}" if back_on else ""
        return Done(outcome=Outcome.AWAY, note=note, links=arrival.links())
    return note_automatic(arrival)


def note_automatic(arrival: Arrival) -> Done:
    """An automatic answer changes nothing; the worker's timeline says that it came."""
    if arrival.thread.worker is None and arrival.thread.user is None:
        if not arrival.mail.envelope_from.strip("<> "):
            return _unplaced(arrival, "A mail system wrote; perhaps it reports a mail that did not arrive.")
        return Done(outcome=Outcome.AUTOMATIC, note="Nobody we know sent it.", links=arrival.links())
    _record(arrival, Outcome.AUTOMATIC)
    return Done(outcome=Outcome.AUTOMATIC, links=arrival.links())


# -- delivery reports -------------------------------------------------------------------------------


def take_report(arrival: Arrival) -> Done:
    """What a mail system says became of our mail. Whom it concerns is decided by the thread alone."""
    report = gravest(arrival.reading.reports)
    thread = arrival.thread
    if report is None:
        return _unplaced(arrival, "A delivery report that names no result.")
    if not arrival.is_proven and not thread.is_signed and thread.message is None:
        return _unplaced(arrival, f"A delivery report that belongs to no mail of ours: {_words(report)}")
    if thread.user is not None:
        return _staff_report(arrival, report)
    if thread.worker is None:
        return _unplaced(arrival, f"A delivery report for nobody we know: {_words(report)}")
    return _worker_report(arrival, thread.worker, report)


def _worker_report(arrival: Arrival, worker: Worker, report: Report) -> Done:
    outcome = _GRADED[report.grade]
    _record(arrival, outcome, report)
    # An address that was repaired since is not to blame for what happened to the old one.
    is_current = worker.email.lower() in arrival.thread.addresses or not arrival.thread.addresses
    if report.grade is Grade.HARD and is_current:
        _bounce(arrival, worker, _words(report))
    elif report.grade is Grade.SOFT and is_current:
        # This one is not counted yet: its outcome is written with the rest of this mail.
        earlier = soft_bounces_of(worker.pk, since=arrival.now - SOFT_WINDOW)
        if earlier + 1 >= SOFT_BOUNCES:
            _bounce(arrival, worker, f"{earlier + 1} times in two weeks: {_words(report)}")
    elif report.grade is Grade.BLOCK:
        _block(arrival, report)
    return Done(outcome=outcome, note=_words(report), links=arrival.links())


def _bounce(arrival: Arrival, worker: Worker, reason: str) -> None:
    """The owner gets a repair task. The address is not suppressed: a repaired one is welcome again."""
    if worker.mail_state != MailState.GOOD.value:
        return
    mark_bounced(worker_id=worker.pk, reason=reason, now=arrival.now)
    problem = Problem.objects.select_related("owner").filter(pk=arrival.thread.problem_id or 0).first()
    owner = problem.owner if problem else worker.site.account.owner
    tell_of_bounce(worker, user=owner, reason=reason, key=str(arrival.mail.pk), now=arrival.now)


def _block(arrival: Arrival, report: Report) -> None:
    """They do not want mail of ours: people who can mend it hear of it, and when it is said about several
    workers, the whole domain waits. The worker's address may be perfectly fine.

    Not at the first: any worker can write such a report about their own mail, and must not be able to stop
    the mail of everybody else at a large provider.
    """
    thread = arrival.thread
    address = thread.delivery.address if thread.delivery else next(iter(thread.addresses), report.recipient)
    domain = domain_of(address)
    is_paused = DomainLane.objects.filter(domain=domain, paused_at__isnull=False).exists()
    if thread.delivery is not None and domain and not is_paused and _blocks_many(arrival, domain):
        pause_lane(domain=domain, reason=_words(report), user_id=None, now=arrival.now)
        is_paused = True
    waits = "Check-ins to it wait until somebody resumes them. " if is_paused else ""
    tell_administrators(
        key=f"mail.blocked:{domain[:80]}:{'paused' if is_paused else 'told'}:{arrival.now:%Y%m%d}",
        title=f"{domain} refuses our mail",
        text=f"{waits}They say: {_words(report)}",
        path="/mail/",
        now=arrival.now,
    )


def _blocks_many(arrival: Arrival, domain: str) -> bool:
    """Whether mail to enough different workers at this domain was blocked within a day."""
    blocked = blocked_workers(since=arrival.now - BLOCK_WINDOW)
    worker = arrival.thread.worker
    ids = {*blocked, worker.pk} if worker else set(blocked)  # this one's outcome is not written yet
    return Worker.objects.filter(pk__in=ids, email__iendswith=f"@{domain}").count() >= BLOCKED_WORKERS


def _staff_report(arrival: Arrival, report: Report) -> Done:
    """A notice to one of our own people came back: repair it, or they miss what is due."""
    user = arrival.thread.user
    outcome = _GRADED[report.grade]
    if user is not None and report.grade is Grade.HARD:
        _give_up_mail(arrival, user, _words(report))
    if user is not None and report.grade in (Grade.HARD, Grade.SOFT, Grade.BLOCK):
        tell_administrators(
            key=f"mail.user_bounced:{user.pk}:{arrival.now:%Y%m%d}",
            title=f"Notices to {user} come back",
            text=f"{user.email} does not take our mail, so {user} hears of problems only in the console. "
            f"Reason: {_words(report)}",
            path=f"/admin/people/user/{user.pk}/change/",
            now=arrival.now,
        )
    return Done(outcome=outcome, note=_words(report), links=arrival.links())


def _give_up_mail(arrival: Arrival, user: User, reason: str) -> None:
    """Nobody lives at the user's address. Only a report that names our token says so: a forged one must not
    be able to silence anybody."""
    message, now = arrival.thread.message, arrival.now
    if message is None or not arrival.thread.is_signed:
        return
    if mark_mail_refused(user_id=user.pk, address=message.address, reason=reason, now=now):
        user.refresh_from_db()
        hand_on_bounced(message=message, user=user, reason=reason, now=now)


# -- complaints -------------------------------------------------------------------------------------


def take_complaint(arrival: Arrival) -> Done:
    """Somebody pressed "this is spam": no more check-ins to them, and the account's brake counts it."""
    worker = arrival.thread.worker
    if worker is None or not arrival.thread.is_signed:
        return _unplaced(arrival, "A complaint that belongs to no mail of ours.")
    worker_complained(
        worker_id=worker.pk,
        incoming_id=arrival.mail.pk,
        source=arrival.mail.from_address or arrival.mail.envelope_from,
        addresses=arrival.thread.addresses,
        now=arrival.now,
    )
    return Done(outcome=Outcome.COMPLAINED, links=arrival.links())


# -- all of them ------------------------------------------------------------------------------------


def _record(arrival: Arrival, outcome: Outcome, report: Report | None = None) -> None:
    worker = arrival.thread.worker
    if worker is None:
        return
    data: dict[str, object] = {"outcome": outcome.value, "kind": arrival.mail.kind, "mail": arrival.mail.pk}
    if report is not None:
        data |= {"grade": report.grade.value, "reason": _words(report)}
    record_event(
        verb=Verb.MAIL_RECEIVED if report is None else Verb.MAIL_BOUNCED,
        at=arrival.now,
        actor=ENGINE,
        about=about_worker(worker),
        data=data,
    )


def _unplaced(arrival: Arrival, note: str) -> Done:
    return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=arrival.links())


def _words(report: Report) -> str:
    said = " ".join(f"{report.status} {report.diagnostic}".split())
    return said[:300] or report.action or report.grade.value
