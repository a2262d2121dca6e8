"""Fetches mail from a mailbox by IMAP, for those who cannot point a domain at a listener.

Everything up to ``last_uid`` is in the database: mails and that number are written in one transaction, and
only then are the mails marked as read or moved. Whatever fails is begun again behind the last number; a
mail that is fetched twice is one row.
"""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from imaplib import IMAP4

from django.db import Error, connections, transaction
from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted

from sentinel.channels.email.inbound.addresses import envelope_of
from sentinel.inbound import keeping
from sentinel.inbound.keeping import LARGEST, Arrived
from sentinel.inbound.models import PolledMailbox
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

#: How often is looked when the server cannot say that something came, and how long one may listen at most.
SECONDS_BETWEEN_LOOKS = 30.0
SECONDS_FOR_AN_ANSWER = 60.0
#: How soon it notices that it shall stop.
SECONDS_BETWEEN_GLANCES = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
_MOST_MAILS = 50
_MOST_BYTES = 16 * 1024 * 1024
_MOST_MOVED = 200
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")


class MailWithheld(RuntimeError):
    """The server says that a mail is there, but does not hand it over."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The mailbox. Fetched mails go to ``done_folder``; without one they stay and are marked as read."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    encrypted: bool = True
    folder: str = "INBOX"
    done_folder: str = ""

    @property
    def name(self) -> str:
        return f"{self.username}@{self.host}/{self.folder}"[:200]


class Poller:
    """Fetches one mailbox until it is told to stop; errors are written down and waited out."""

    def __init__(self, account: Account, stop: threading.Event) -> None:
        self._account = account
        self._stop = stop

    def run(self) -> None:
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    with self._signed_in() as box:
                        self._tidy_up(box)
                        while not self._stop.is_set():
                            self.fetch_new(box)
                            self._note("")
                            failures = 0
                            self._wait(box)
                except Exception as error:  # whatever it is, a mailbox must not fall silent for good
                    failures += 1
                    self._after_failure(error, failures)
        finally:
            with suppress(Error):
                connections.close_all()

    def fetch_new(self, box: BaseMailBox) -> int:
        """Keep everything that came since; returns how many mails. Commits in portions."""
        validity = _uid_validity(box)
        box.client.response("EXISTS")  # whatever was said until now, the search will show
        known, _ = PolledMailbox.objects.get_or_create(name=self._account.name)
        # Another validity means that the server numbers anew: everything is looked at again, and kept once.
        last = known.last_uid if known.uid_validity == validity else 0
        total = 0
        for portion in _portions(_sizes(box, _new_uids(box, last))):
            mails = _fetched(box, portion)
            self._keep(list(mails.values()), validity=validity, last_uid=max(portion))
            self._put_away(box, [str(uid) for uid in portion])
            total += len(mails)
            if self._stop.is_set():
                break
        return total

    def _keep(self, raws: Sequence[bytes], *, validity: int, last_uid: int) -> None:
        now = clock.now()
        mails = []
        for raw in raws:
            sender, recipient = envelope_of(raw, otherwise=self._account.username)
            mails.append(Arrived(raw=raw, envelope_from=sender, envelope_to=recipient, source="imap"))
        with transaction.atomic():
            keeping.keep_mails(mails=mails, now=now)
            PolledMailbox.objects.filter(name=self._account.name).update(
                uid_validity=validity, last_uid=last_uid, looked_at=now
            )

    def _tidy_up(self, box: BaseMailBox) -> None:
        """Move what was kept, but not moved any more, when we last were here."""
        known = PolledMailbox.objects.filter(name=self._account.name, uid_validity=_uid_validity(box)).first()
        if known is not None and known.last_uid and self._account.done_folder:
            self._put_away(box, box.uids(f"UID 1:{known.last_uid}", charset=None))

    def _put_away(self, box: BaseMailBox, uids: Sequence[str]) -> None:
        """Only after the commit. Nothing but these very mails may vanish from the folder."""
        for start in range(0, len(uids), _MOST_MOVED):
            chunk = ",".join(uids[start : start + _MOST_MOVED])
            if not self._account.done_folder:
                # Not imap-tools' own: it expunges the whole folder on the way.
                box.client.uid("STORE", chunk, "+FLAGS.SILENT", r"(\Seen)")
            elif "MOVE" in box.client.capabilities:
                box.move(chunk, self._account.done_folder)
            else:
                box.copy(chunk, self._account.done_folder)
                box.client.uid("STORE", chunk, "+FLAGS.SILENT", r"(\Deleted)")
                if "UIDPLUS" in box.client.capabilities:
                    box.client.uid("EXPUNGE", chunk)

    def _wait(self, box: BaseMailBox) -> None:
        """Until something came, at most half a minute: a server's hint may have been lost on the way."""
        if box.client.response("EXISTS")[1] != [None]:
            self._stop.wait(1)  # it was said on the way, and will not be said again
            return
        if "IDLE" not in box.client.capabilities:
            self._stop.wait(SECONDS_BETWEEN_LOOKS)
            if not self._stop.is_set():
                box.client.noop()
            return
        until = time.monotonic() + SECONDS_BETWEEN_LOOKS
        with box.idle as idle:
            if _said_already(box):
                return
            while not self._stop.is_set() and time.monotonic() < until:
                asked_at = time.monotonic()
                heard = idle.poll(timeout=SECONDS_BETWEEN_GLANCES)
                # Nothing, but at once: the connection has ended, and leaving the block finds out.
                if heard or time.monotonic() - asked_at < SECONDS_BETWEEN_GLANCES / 2:
                    return

    @contextmanager
    def _signed_in(self) -> Iterator[BaseMailBox]:
        account = self._account
        box: BaseMailBox
        if account.encrypted:
            context = ssl.create_default_context()
            box = MailBox(account.host, account.port, timeout=SECONDS_FOR_AN_ANSWER, ssl_context=context)
        else:
            box = MailBoxUnencrypted(account.host, account.port, timeout=SECONDS_FOR_AN_ANSWER)
        try:
            is_plain = (account.username + account.password).isascii()
            (box.login if is_plain else box.login_utf8)(account.username, account.password, account.folder)
            yield box
        finally:
            with suppress(Exception):  # the connection may be gone, and then it needs no farewell
                box.logout()
            with suppress(Exception):  # and without a farewell nobody has closed our end
                box.client.shutdown()

    def _after_failure(self, error: Exception, failures: int) -> None:
        words = f"{type(error).__name__}: {error}"[:500]
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
        logger.warning("%s cannot be fetched, trying again in %.0f s: %s", self._account.name, pause, words)
        try:
            self._note(words)
        except Error:
            with suppress(Error):
                connections.close_all()
        self._stop.wait(pause)

    def _note(self, error: str) -> None:
        name = self._account.name
        PolledMailbox.objects.get_or_create(name=name)
        PolledMailbox.objects.filter(name=name).update(looked_at=clock.now(), last_error=error)


def _uid_validity(box: BaseMailBox) -> int:
    values = box.client.untagged_responses.get("UIDVALIDITY") or [b"0"]
    return int(values[-1]) if isinstance(values[-1], bytes) else 0


def _said_already(box: BaseMailBox) -> bool:
    """Whether the server said something together with its "go on": that was read along, and waiting for the
    socket would not notice it."""
    connection = box.client.sock
    before = connection.gettimeout()
    connection.settimeout(0)
    try:
        return bool(box.client.readline())
    except OSError:  # nothing there, says an encrypted connection
        return False
    finally:
        connection.settimeout(before)


def _new_uids(box: BaseMailBox, last: int) -> list[int]:
    # "n:*" always includes the last mail, even when its number is below n.
    found = box.uids(f"UID {last + 1}:*", charset=None)
    return sorted(uid for uid in map(int, found) if uid > last)


def _answers(box: BaseMailBox, uids: Sequence[int], what: str) -> list[tuple[bytes, bytes]]:
    """Per mail the words of the server's answer and the bytes it carried, if any."""
    status, data = box.client.uid("FETCH", ",".join(map(str, uids)), what)
    if status != "OK":
        raise IMAP4.error(f"FETCH was answered by {status} {data!r}")
    answers: list[tuple[bytes, bytes]] = []
    for part in data:
        if isinstance(part, tuple):
            answers.append((part[0], part[1]))
        elif isinstance(part, bytes) and answers and answers[-1][1] and not part.lstrip()[:1].isdigit():
            answers[-1] = (answers[-1][0] + b" " + part, answers[-1][1])  # what stands behind the bytes
        elif isinstance(part, bytes):
            answers.append((part, b""))
    return answers


def _sizes(box: BaseMailBox, uids: Sequence[int]) -> list[tuple[int, int]]:
    sizes: dict[int, int] = {}
    for start in range(0, len(uids), 500):
        for words, _ in _answers(box, uids[start : start + 500], "(UID RFC822.SIZE)"):
            uid, size = _UID.search(words), _SIZE.search(words)
            if uid and size:
                sizes[int(uid[1])] = int(size[1])
    return [(uid, sizes.get(uid, 0)) for uid in uids]


def _portions(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    portion: list[int] = []
    held = 0
    for uid, size in sizes:
        if portion and (len(portion) >= _MOST_MAILS or held + size > _MOST_BYTES):
            yield portion
            portion, held = [], 0
        portion.append(uid)
        held += size
    if portion:
        yield portion


def _fetched(box: BaseMailBox, uids: Sequence[int]) -> dict[int, bytes]:
    """The mails by number; ones that vanished meanwhile are left out. Of giants only the first 30 MB."""
    found: dict[int, bytes] = {}
    for words, raw in _answers(box, uids, f"(UID BODY.PEEK[]<0.{LARGEST}>)"):
        uid = _UID.search(words)
        if uid and b"BODY[" in words.upper():
            found[int(uid[1])] = raw
    for missing in set(uids) - set(found):
        if str(missing) in box.uids(f"UID {missing}", charset=None):
            raise MailWithheld(f"mail {missing} is there, but the server does not hand it over")
    return dict(sorted(found.items()))
