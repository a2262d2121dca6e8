"""The bulk sender's decisions: what an answer of a mail server means, when to try again, how fast. Pure.

Who is to blame decides everything. A relay in trouble burns nobody's try; a recipient's domain that asks
for patience is slowed down alone; a mailbox that refuses fails alone.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

#: Waiting times before each next try of a deferred delivery; the last one repeats.
DEFERRALS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 120, 240, 480))
#: The last try is made this long after the first; a question that comes later asks about another day.
GIVE_UP_AFTER = timedelta(hours=24)
#: A delivery whose connection was closed on it this often before its body is treated as deferred.
MOST_RETURNS = 3

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_NO_RELAYING = re.compile(
    r"relay(ing)?\b.{0,20}\b(denied|prohibited|not (allowed|permitted))|unable to relay", re.I
)
#: The server wants us to sign in, or did not like how: our set-up, whatever the code's first digit says.
_SIGN_IN_CODES = frozenset({503, 530, 534, 535, 538})


class Stage(StrEnum):
    """What the server answered to."""

    CONNECT = "connect"  # greeting, TLS, sign-in
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    BODY = "end of data"


class Result(StrEnum):
    """What an answer means for the delivery."""

    SENT = "sent"
    DEFERRED = "deferred"  # not now; a try was used
    FAILED = "failed"  # never
    BLOCKED = "blocked"  # they refuse us, not the recipient
    RETURNED = "returned"  # nothing was decided about it; no try was used


class Blame(StrEnum):
    """Who has to slow down because of it."""

    NOBODY = "nobody"
    LANE = "lane"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: ``enhanced`` such as ``4.7.1`` or empty, ``text`` without both codes."""

    stage: Stage
    code: int
    enhanced: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``weight``: how loudly the answer asks for patience (0: it does not, 1: perhaps, 2: clearly).

    ``is_trouble``: the relay cannot do its work for anybody just now.
    """

    result: Result
    blame: Blame = Blame.NOBODY
    weight: int = 0
    is_trouble: bool = False


def read_answer(stage: Stage, code: int, text: str) -> Answer:
    """Split an answer's text into its enhanced code (RFC 3463), if it begins with one, and the words."""
    found = _ENHANCED.match(text)
    if found is None or found[1] != str(code)[0]:
        return Answer(stage, code, "", text)
    return Answer(stage, code, found[0], text[found.end() :].lstrip())


_SENT = Verdict(Result.SENT)
_TROUBLE = Verdict(Result.RETURNED, Blame.RELAY, 2, is_trouble=True)


def judge(answer: Answer, *, sent_before: int) -> Verdict:
    """What an answer means. ``sent_before``: deliveries this connection had already handed over.

    A 421 ends the connection and, before the body, says nothing about the delivery. After deliveries that
    went well it is the server's limit per connection and no reproach; on a fresh connection it asks for
    patience.
    """
    if answer.code < 300 and answer.stage is Stage.BODY:
        return _SENT
    if answer.stage is Stage.CONNECT or answer.code in _SIGN_IN_CODES:
        return _TROUBLE
    if answer.code == 421:
        return _hung_up(answer, sent_before)
    if answer.code < 500:
        return _not_now(answer)
    return _never(answer)


def _hung_up(answer: Answer, sent_before: int) -> Verdict:
    if answer.stage in (Stage.RCPT, Stage.BODY) and answer.enhanced.startswith("4.7."):
        return Verdict(Result.DEFERRED, Blame.LANE, 2)
    if answer.stage is Stage.BODY:
        return Verdict(Result.DEFERRED, Blame.NOBODY if sent_before else Blame.RELAY, 2)
    # Whoever means more than "enough on this connection" says it again on the next one.
    return Verdict(Result.RETURNED) if sent_before else Verdict(Result.RETURNED, Blame.RELAY, 2)


def _not_now(answer: Answer) -> Verdict:
    clearly = answer.enhanced.startswith("4.7.")
    if answer.stage in (Stage.MAIL, Stage.DATA):
        # No recipient was named yet, or they were all right: the same would be said to anybody.
        return _TROUBLE
    if answer.enhanced.startswith("4.3."):
        return Verdict(Result.DEFERRED, Blame.RELAY, 1)
    asks = clearly or answer.code in (450, 451, 452)
    return Verdict(Result.DEFERRED, Blame.LANE if asks else Blame.NOBODY, 2 if clearly else int(asks))


def _never(answer: Answer) -> Verdict:
    about_this_mail = answer.code in (552, 555) or answer.enhanced in ("5.3.4", "5.6.7")
    if about_this_mail:
        return Verdict(Result.FAILED)
    if answer.stage is Stage.MAIL or _NO_RELAYING.search(answer.text):
        return _TROUBLE
    if answer.enhanced.startswith("5.7."):
        return Verdict(Result.BLOCKED, Blame.LANE)
    return Verdict(Result.FAILED)


def next_try(*, attempts: int, first_tried_at: datetime, now: datetime) -> datetime | None:
    """When to try again after the ``attempts``-th try was put off; None when it is time to give up.

    The last try falls on exactly :data:`GIVE_UP_AFTER` after the first.
    """
    last = first_tried_at + GIVE_UP_AFTER
    if now >= last:
        return None
    return min(last, now + DEFERRALS[min(max(attempts, 1), len(DEFERRALS)) - 1])


class Pace:
    """At most ``count`` in any ``seconds``, evenly: never more, also not in the first moment.

    The time is cut into windows of about a tenth of a second; in any stretch as long as a window at most
    its share is let through, so no stretch of ``seconds`` can hold more than ``count``. Bounded
    memory: one instant per permit of a window. Times are seconds of any steady clock.
    """

    __slots__ = ("_taken", "per_window", "window")
    SMOOTH_SECONDS = 0.1

    def __init__(self, count: float, seconds: float) -> None:
        if count <= 0 or seconds <= 0:
            raise ValueError("a pace lets something through in some time")
        most = int(count * self.SMOOTH_SECONDS / seconds)
        if most <= 1:
            self.per_window, self.window = 1, seconds / count
        else:
            windows = ceil(count / most)
            self.per_window, self.window = int(count / windows), seconds / windows
        self.window *= 1 + 1e-9  # ten tenths of a second must not come to less than one by rounding
        self._taken: deque[float] = deque(maxlen=self.per_window)

    @property
    def per_second(self) -> float:
        """What it comes to."""
        return self.per_window / self.window

    def wait(self, now: float) -> float:
        """Seconds until the next one may pass; 0.0 means now."""
        if len(self._taken) < self.per_window:
            return 0.0
        return max(0.0, self._taken[0] + self.window - now)

    def take(self, now: float) -> None:
        """One passed."""
        self._taken.append(now)

    def changed(self, per_second: float) -> Pace:
        """Another pace that remembers what passed, so that changing it opens no gap."""
        other = Pace(per_second, 1.0)
        other._taken.extend(self._taken)
        return other


class Patience:
    """AIMD: halves the pace when patience is asked for, wins it back in steps, ends at full speed.

    ``per_second`` is None at full speed. One halving per :data:`EVERY_SECONDS`: answers to what was
    already on its way are not a second complaint. A single "perhaps later" (greylisting, a busy mailbox)
    slows nobody down; it must be a good part of the recent answers.
    """

    __slots__ = ("_answers", "_base", "_changed_at", "_score", "floor", "per_second")
    EVERY_SECONDS = 5.0
    STEP_SECONDS = 10.0
    STEPS_TO_BASE = 10
    SHARE = 0.3
    ENOUGH = 6.0
    MEMORY = 40

    def __init__(self, floor: float, per_second: float | None = None) -> None:
        self.floor = floor
        self.per_second = per_second
        self._base = per_second or 0.0
        self._changed_at = float("-inf")
        self._answers = 0.0
        self._score = 0.0

    def answered_well(self) -> None:
        """An answer that asked for nothing."""
        self._answers += 1.0
        if self._answers > self.MEMORY:
            self._answers /= 2
            self._score /= 2

    def asked(self, weight: int, *, now: float, recent_rate: float, at_once: bool = False) -> bool:
        """Patience was asked for with this weight; whether the pace was halved.

        ``recent_rate``: what went out per second lately, the measure of a first halving. ``at_once``:
        the answer stands for everybody, not for one recipient, so no share is needed.
        """
        self._answers += 1.0
        self._score += weight
        loud = self._score >= self.ENOUGH and self._score >= self.SHARE * self._answers
        if not (loud or at_once) or now - self._changed_at < self.EVERY_SECONDS:
            return False
        before = self.per_second if self.per_second is not None else recent_rate
        if self.per_second is None:
            self._base = max(before, self.floor)
        self.per_second = max(self.floor, before / 2)
        self._changed_at = now
        self._answers = self._score = 0.0
        return True

    def win_back(self, now: float) -> bool:
        """Take the steps that fell due; whether the pace changed."""
        if self.per_second is None or now - self._changed_at < self.STEP_SECONDS:
            return False
        self.per_second += max(self._base / self.STEPS_TO_BASE, self.floor)
        self._changed_at = now
        if self.per_second >= 2 * self._base:
            self.per_second = None
        return True


class Refusals:
    """Whether refusals "because it is you" (5.7.x) mean that a whole domain blocks us.

    The first one does when nothing was ever taken there; one mailbox with a rule of its own does not,
    but several within few answers do.
    """

    __slots__ = ("_refused", "_taken", "_taken_since")
    MOST = 3
    AMONG = 20

    def __init__(self) -> None:
        self._taken = 0
        self._taken_since = 0
        self._refused = 0

    def taken(self) -> None:
        """A delivery was taken there."""
        self._taken += 1
        self._taken_since += 1
        if self._taken_since >= self.AMONG:
            self._refused = self._taken_since = 0

    def refused(self) -> bool:
        """One was refused; True when the domain blocks us."""
        self._refused += 1
        return self._taken == 0 or self._refused >= self.MOST

    def forget(self) -> None:
        """Somebody let the domain go on: the next refusal counts as the first."""
        self._taken = self._taken_since = self._refused = 0
