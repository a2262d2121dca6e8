"""A worker's mail, set to work: an answer, a verdict, words for a problem, or a closed one come back.

The thread decides what was answered. What is unmistakable is done at once, as on the page; everything
else joins the problem or reaches the owner, word for word. Nothing here closes a problem except a plain
yes from the worker's own address to the question whether it is solved.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from sentinel.accounts.services import unsubscribe_worker
from sentinel.accounts.services.reachability import mark_back
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import ByMail, CheckInState, Face, ResponseKind
from sentinel.checkins.services import lock_check_in
from sentinel.inbound.meaning import Said, answer_to_question, comes_back, verdict_of
from sentinel.inbound.rules import UNPROVEN_A_DAY, WRITTEN_A_DAY
from sentinel.inbound.selectors import unproven_of, written_by
from sentinel.inbound.states import Outcome
from sentinel.kernel.errors import NotFound
from sentinel.problems.models import Problem, Proposal
from sentinel.problems.rules import OPEN_STATES, REOPENINGS_A_DAY, How, ProblemState, Verdict
from sentinel.problems.services import lock_problem
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, about_worker, worker_actor
from sentinel.workflows.mail_notices import tell_owner
from sentinel.workflows.mail_outcome import Arrival, Done
from sentinel.workflows.mail_questions import ask_plainly
from sentinel.workflows.mail_thread import Thread
from sentinel.workflows.record_response import Answer, Signals, record_response
from sentinel.workflows.record_verdict import VerdictRecorded, record_verdict
from sentinel.workflows.telephone_verdict import object_to_confirmation, report_again
from sentinel.workflows.worker_words import join_words

#: A bare answer ("no", "all good, thanks") is its face; whatever is longer is kept as words, too.
_BARE_WORDS = 4
_BARE_LETTERS = 24
#: What an unproven mail can say that is worth a provisional answer.
_ANSWERS = frozenset({Said.FROWN, Said.PROBLEM, Said.YES, Said.HAPPY, Said.NO})


def act_on_worker_mail(arrival: Arrival) -> Done:
    """Do what a human's mail asks for. Runs in the transaction that read the mail."""
    thread = arrival.thread
    if not arrival.is_proven or thread.worker is None:
        return _unproven(arrival)
    if written_by(thread.worker.pk, since=arrival.now - timedelta(days=1)) >= WRITTEN_A_DAY:
        note = "This worker's mails are many today; nobody was alarmed about this one."
        return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=arrival.links())
    if arrival.is_own and thread.worker.away_until is not None:
        _come_back(thread)
    return _act(arrival)


def _come_back(thread: Thread) -> None:
    """Whoever writes is back. Before anything else is written, because of the order of locks that holds
    everywhere: the check-in, problems' rows, the worker's, and the stream last."""
    worker = thread.worker
    if worker is None:
        return
    if thread.check_in_id is not None:
        lock_check_in(thread.check_in_id)
    states = [state.value for state in OPEN_STATES]
    concerned = Q(worker=worker, state__in=states) | Q(pk=thread.problem_id or 0)
    for pk in Problem.objects.filter(concerned).order_by("pk").values_list("pk", flat=True):
        lock_problem(pk)
    mark_back(worker_id=worker.pk)


def _act(arrival: Arrival) -> Done:
    thread = arrival.thread
    if verdict_of(arrival.words, arrival.language) is Said.UNSUBSCRIBE:
        return unsubscribe(arrival)
    if thread.proposal_id is not None:
        return _to_question(arrival, thread.proposal_id)
    if thread.problem_id is not None:
        return _about_problem(arrival, thread.problem_id)
    return _to_check_in(arrival)


# -- an answer to "any problem, comment or suggestion?" ---------------------------------------------


def _to_check_in(arrival: Arrival) -> Done:
    check_in_id = arrival.thread.check_in_id or _latest_check_in(arrival)
    said = answer_to_question(arrival.words, arrival.language)
    if said is Said.NOTHING and arrival.has_files:
        said = Said.FROWN  # a picture of it says what is wrong
    if said is Said.UNSUBSCRIBE:
        return unsubscribe(arrival)
    if said is Said.THANKS:
        return _thanked(arrival, problem=None)
    if said is Said.NOTHING:
        return _nothing_new(arrival)
    if check_in_id is None:
        tell_owner(arrival, "wrote, but was never asked anything")
        return Done(
            outcome=Outcome.UNPLACED,
            needs_person=True,
            said=said,
            links=arrival.links(),
            note="This worker was never asked anything; please open a problem or answer.",
        )
    return _record(arrival, check_in_id=check_in_id, said=said, by_mail=ByMail.THREADED)


def _record(arrival: Arrival, *, check_in_id: int, said: Said, by_mail: ByMail) -> Done:
    recorded = record_response(
        check_in_id=check_in_id,
        answer=_answer(arrival, said),
        signals=Signals(by_mail=by_mail),
        note=arrival.note,
        now=arrival.now,
    )
    if by_mail is ByMail.UNPROVEN:
        outcome = Outcome.PROVISIONAL
    elif recorded.problem_id is not None:
        is_new = Problem.objects.filter(pk=recorded.problem_id, response_id=recorded.response_id).exists()
        outcome = Outcome.PROBLEM_OPENED if is_new else Outcome.WORDS_JOINED
    else:
        is_bare = recorded.kind is ResponseKind.NOTHING
        outcome = Outcome.ANSWERED_HAPPY if is_bare else Outcome.COMMENTED
    links = arrival.links(problem_id=recorded.problem_id, response_id=recorded.response_id)
    return Done(outcome=outcome, said=said, links=links)


def _answer(arrival: Arrival, said: Said) -> Answer:
    language, words = arrival.language or "en", arrival.words
    if said in (Said.HAPPY, Said.NO):
        text = "" if _is_bare(words) else words
        return Answer(face=Face.HAPPY, text=text, language=language)
    if said is Said.PRAISE:
        return Answer(face=Face.HAPPY, kind=ResponseKind.PRAISE, text=words, language=language)
    return Answer(face=Face.FROWN, kind=ResponseKind.PROBLEM, text=words, language=language)


def _is_bare(words: str) -> bool:
    return len(words.split()) <= _BARE_WORDS and len(words) <= _BARE_LETTERS


def _latest_check_in(arrival: Arrival) -> int | None:
    worker = arrival.thread.worker
    rows = CheckIn.objects.filter(worker=worker, state=CheckInState.SENT.value)
    return rows.order_by("-sent_at", "-pk").values_list("pk", flat=True).first()


# -- an answer to "is it solved?" -------------------------------------------------------------------


def _to_question(arrival: Arrival, proposal_id: int) -> Done:
    proposal = Proposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("proposal_unknown", "The question that this mail answers does not exist.")
    problem = lock_problem(proposal.problem_id)
    proposal.refresh_from_db()
    if proposal.settled_at is not None or ProblemState(problem.state) is not ProblemState.PROPOSED:
        return _about_problem(arrival, problem.pk)
    said = verdict_of(arrival.words, arrival.language)
    if said is Said.NOTHING and not arrival.has_files:
        return _nothing_new(arrival)
    may_confirm = arrival.is_own and arrival.thread.is_signed
    if said is Said.YES and may_confirm:
        return _yes(arrival, problem, proposal)
    if said is Said.NO and arrival.is_own:
        return _no(arrival, problem, proposal)
    return _ask_once_more(arrival, problem, proposal, said)


def _record_verdict(arrival: Arrival, proposal: Proposal, verdict: Verdict) -> VerdictRecorded:
    return record_verdict(
        proposal_id=proposal.pk,
        verdict=verdict,
        words=arrival.words,
        human=True,
        how=How.REPLY,
        note=arrival.note,
        now=arrival.now,
    )


def _yes(arrival: Arrival, problem: Problem, proposal: Proposal) -> Done:
    recorded = _record_verdict(arrival, proposal, Verdict.YES)
    if recorded.doubted:
        asked = ask_plainly(arrival, problem, proposal)
        note = "The words do not go with a yes." if asked else "The words do not go with a yes; asked before."
        links = arrival.links(problem_id=problem.pk)
        return Done(outcome=Outcome.ASKED_ONCE_MORE, said=Said.YES, note=note, links=links)
    return Done(outcome=Outcome.CONFIRMED, said=Said.YES, links=arrival.links(problem_id=problem.pk))


def _no(arrival: Arrival, problem: Problem, proposal: Proposal) -> Done:
    recorded = _record_verdict(arrival, proposal, Verdict.NO)
    # So many "no" on one day are one conversation: the words joined, nothing was reopened again.
    outcome = Outcome.WORDS_JOINED if recorded.already else Outcome.REOPENED
    return Done(outcome=outcome, said=Said.NO, links=arrival.links(problem_id=problem.pk))


def _ask_once_more(arrival: Arrival, problem: Problem, proposal: Proposal, said: Said) -> Done:
    """Neither yes nor no, or not from the worker's own address: the words join, the worker is asked."""
    join_words(problem=problem, words=arrival.words, note=arrival.note, now=arrival.now)
    asked = ask_plainly(arrival, problem, proposal)
    return Done(
        outcome=Outcome.ASKED_ONCE_MORE if asked else Outcome.WORDS_JOINED,
        said=said,
        links=arrival.links(problem_id=problem.pk),
    )


# -- a reply to any other mail about a problem ------------------------------------------------------


def _about_problem(arrival: Arrival, problem_id: int) -> Done:
    problem = lock_problem(problem_id)
    said = verdict_of(arrival.words, arrival.language)
    if said is Said.NOTHING and not arrival.has_files:
        return _nothing_new(arrival)
    if said is Said.THANKS:
        return _thanked(arrival, problem=problem)
    is_again = comes_back(arrival.words, arrival.language)
    is_objection = said is Said.NO and arrival.thread.confirmation_id is not None
    if problem.is_open or not (is_again or is_objection) or _reopened_enough(problem, arrival):
        join_words(problem=problem, words=arrival.words, note=arrival.note, now=arrival.now)
        return Done(outcome=Outcome.WORDS_JOINED, said=said, links=arrival.links(problem_id=problem.pk))
    _reopen(arrival, problem)
    return Done(outcome=Outcome.CAME_BACK, said=said, links=arrival.links(problem_id=problem.pk))


def _reopen(arrival: Arrival, problem: Problem) -> None:
    confirmation_id = arrival.thread.confirmation_id
    if confirmation_id is not None and problem.closing_confirmation_id == confirmation_id:
        object_to_confirmation(
            confirmation_id=confirmation_id,
            words=arrival.words,
            human=True,
            note=arrival.note,
            now=arrival.now,
        )
        return
    report_again(problem_id=problem.pk, words=arrival.words, human=True, note=arrival.note, now=arrival.now)


def _reopened_enough(problem: Problem, arrival: Arrival) -> bool:
    """Whether mail has reopened this problem as often as it may on one day."""
    since = arrival.now - timedelta(days=1)
    verbs = (Verb.PROBLEM_REOPENED.value, Verb.CONFIRMATION_OBJECTED.value)
    rows = events_of_problem(problem.pk).filter(verb__in=verbs, at__gt=since)
    return rows.count() >= REOPENINGS_A_DAY


# -- what changes nothing, and what proves nothing --------------------------------------------------


def unsubscribe(arrival: Arrival, *, how: str = "reply") -> Done:
    """No more check-ins; an open problem is still followed up."""
    worker = arrival.thread.worker
    if worker is None:
        raise NotFound("worker_unknown", "There is no such worker.")
    unsubscribe_worker(worker_id=worker.pk, how=how, now=arrival.now)
    return Done(outcome=Outcome.UNSUBSCRIBED, said=Said.UNSUBSCRIBE, links=arrival.links())


def _thanked(arrival: Arrival, *, problem: Problem | None) -> Done:
    """Noted, and nothing else: "thanks" opens, reopens and confirms nothing."""
    worker = arrival.thread.worker
    if worker is not None:
        record_event(
            verb=Verb.MAIL_RECEIVED,
            at=arrival.now,
            actor=worker_actor(worker),
            about=about_problem(problem) if problem else about_worker(worker),
            data={"outcome": Outcome.THANKED.value, "words": arrival.words, "mail": arrival.mail.pk},
        )
    return Done(outcome=Outcome.THANKED, said=Said.THANKS, links=arrival.links())


def _nothing_new(arrival: Arrival) -> Done:
    """Perhaps our reading took the worker's words for quoted ones: a person looks at the whole text."""
    tell_owner(arrival, "replied, but no new words were found in the mail")
    note = "No new words were found; please look at the whole text."
    return Done(outcome=Outcome.EMPTY, needs_person=True, said=Said.NOTHING, note=note, links=arrival.links())


def _unproven(arrival: Arrival) -> Done:
    """Only the From address names the worker, and anybody can write that: nothing is opened, reopened,
    confirmed or stopped. A frown becomes a "please check"; anything else the owner reads.

    A few a day: whoever knows a worker's address must not be able to bury its owner."""
    worker = arrival.thread.worker
    if worker and unproven_of(worker.pk, since=arrival.now - timedelta(days=1)) >= UNPROVEN_A_DAY:
        note = "Only the From address names the worker, who has written as often today."
        return Done(outcome=Outcome.UNPLACED, needs_person=True, note=note, links=arrival.links())
    said = answer_to_question(arrival.words, arrival.language)
    check_in_id = arrival.thread.check_in_id or _latest_check_in(arrival)
    is_answer = arrival.thread.problem_id is None and said in _ANSWERS
    if check_in_id is not None and is_answer:
        return _record(arrival, check_in_id=check_in_id, said=said, by_mail=ByMail.UNPROVEN)
    tell_owner(arrival, "wrote; nothing proves that it was really them")
    return Done(
        outcome=Outcome.OWNER_TOLD,
        needs_person=said not in (Said.THANKS, Said.PRAISE),
        said=said,
        note="Only the From address names the worker; please check.",
        links=arrival.links(),
    )
