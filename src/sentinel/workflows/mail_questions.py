"""The one mail that is sent because of a mail: "please say plainly whether it is solved".

It goes to the worker's own address, never to whoever wrote; at most once per question and day, once per
address and day, and never in answer to automatic mail or a null sender (RFC 3834).
"""

from __future__ import annotations

from datetime import timedelta

from sentinel.outbox.selectors import count_mail_since
from sentinel.problems.messages import PlainQuestionFacts, ask_plainly_mail
from sentinel.problems.models import Problem, Proposal
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.duties import duty_of
from sentinel.workflows.letters import letterhead, mail_worker
from sentinel.workflows.mail_outcome import Arrival

KIND = "problem.ask_plainly"


def ask_plainly(arrival: Arrival, problem: Problem, proposal: Proposal) -> bool:
    """Ask the worker once more, in plain words. False when that is not allowed, or they cannot be mailed."""
    if not arrival.may_be_answered:
        return False
    lately = count_mail_since(
        recipient_kind="worker",
        recipient_id=problem.worker_id,
        since=arrival.now - timedelta(days=1),
        kind_prefix=KIND,
    )
    if lately:
        return False
    mail = ask_plainly_mail(
        PlainQuestionFacts(
            head=letterhead(problem, person=duty_of(problem).accountable, now=arrival.now),
            proposal_id=proposal.pk,
            what_was_done=proposal.what_was_done,
            their_words=arrival.words,
        )
    )
    key = f"{proposal.pk}:{arrival.local_day()}"
    if not mail_worker(problem, kind=KIND, mail=mail, key=key, now=arrival.now):
        return False
    record_event(
        verb=Verb.CONFIRMATION_ASKED,
        at=arrival.now,
        actor=ENGINE,
        about=about_problem(problem),
        data={"ask": proposal.asks, "by": "mail", "why": "the reply said neither yes nor no"},
    )
    return True
