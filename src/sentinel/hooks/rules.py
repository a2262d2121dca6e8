"""Which events may be told to other systems. Pure."""

from __future__ import annotations

from sentinel.timeline.verbs import Verb

#: What happens to problems and accounts; nothing about mail, people or Sentinel itself.
KINDS = (
    Verb.PROBLEM_OPENED,
    Verb.PROBLEM_ACKNOWLEDGED,
    Verb.PROBLEM_HANDED_OVER,
    Verb.CALL_LOGGED,
    Verb.COMMITMENT_MADE,
    Verb.COMMITMENT_MOVED,
    Verb.COMMITMENT_MISSED,
    Verb.PROPOSAL_MADE,
    Verb.PROBLEM_CONFIRMED,
    Verb.PROBLEM_REOPENED,
    Verb.PROBLEM_ENDED,
    Verb.DUTY_FIRED,
    Verb.MANAGER_ASKED_FOR,
    Verb.WORKER_COMMENTED,
)
