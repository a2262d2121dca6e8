"""One SMTP or LMTP conversation, on top of aiosmtpd, which knows the commands.

Ours is the part where the mail itself comes: in large pieces instead of line by line (30 MB must neither
cost seconds nor a multiple of themselves), lines of any length (many programs write HTML into one), and by
LMTP one answer for each recipient.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Protocol

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, syntax

from sentinel.inbound.keeping import LARGEST, Arrived, Kept

# aiosmtpd writes a line for every command of every session.
logging.getLogger("mail.log").setLevel(logging.ERROR)

#: A client that sends more than this after it was told the limit is cut off.
_PATIENCE = 2 * LARGEST
#: The time limit begins anew whenever this much of a mail has come.
_PROGRESS = 1024 * 1024
#: More than the reader ever holds, so that reading empties it.
_EVERYTHING = 1 << 30
#: What nearly every address looks like, and the parameters behind it.
_PLAIN = re.compile(r"<([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9.-]+)>((?: .*)?)", re.ASCII)
_END = b"\r\n.\r\n"
TOO_LARGE = "552 5.3.4 this mail is larger than the 30 MB we take"
TRY_AGAIN = "451 4.3.0 it could not be kept just now; please try again later"
BUSY = "421 4.3.2 too many connections; please try again later"
NO_ROOM = "452 4.3.1 too much mail at this moment; please try again later"


class TooLarge(Exception):
    """The mail is larger than :data:`~sentinel.inbound.keeping.LARGEST`; all of it was read."""


class CutOff(Exception):
    """The client does not stop sending."""


class House(Protocol):
    """What all conversations of one listener share."""

    source: str

    def enter(self, session: Conversation) -> bool:
        """A conversation begins; False when there are too many."""

    def leave(self, session: Conversation) -> None: ...

    def reserve(self, session: Conversation, size: int) -> bool:
        """Room in memory for so many bytes of mail; False when there is none, or none for this peer."""

    def release(self, session: Conversation, size: int) -> None: ...

    async def keep(self, mails: list[Arrived]) -> list[Kept | BaseException]:
        """Commit; per mail its row, or why it could not be kept."""


class Conversation(SMTP):
    """SMTP. ``house`` is shared by all conversations of a listener and is aiosmtpd's handler as well."""

    def __init__(self, house: House, **options: Any) -> None:
        super().__init__(house, **options)
        self._house = house
        self._reserved = 0

    async def _handle_client(self) -> None:
        # why overridden: the only place that is entered once for every connection, STARTTLS or not.
        try:
            if not self._house.enter(self):
                await self.push(BUSY)
                self.hang_up()
                return
            await super()._handle_client()
        finally:
            self._free()
            self._house.leave(self)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # why overridden: the parser of everything an address may be costs more than the rest of a mail.
        plain = _PLAIN.fullmatch(arg or "")
        return (plain[1], plain[2]) if plain else super()._getaddr(arg)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take the mail; "250" is said only after it is in the database."""
        if await self.check_helo_needed():
            return
        recipients = len(self._now.rcpt_tos)
        if not recipients or arg:
            await self.push("501 5.5.4 DATA stands alone" if arg else "503 5.5.1 name a recipient first")
            return
        await self.push("354 end with <CRLF>.<CRLF>")
        try:
            content = await self._content()
        except CutOff:
            await self._answer([TOO_LARGE])
            self.hang_up()
        except TooLarge:
            await self._answer([TOO_LARGE] * recipients)
        except MemoryError:
            await self._answer([NO_ROOM] * recipients)
        else:
            await self._answer(await self._kept(content))

    async def _kept(self, content: bytes) -> list[str]:
        sender = self._now.mail_from or ""
        mails = [
            Arrived(
                raw=content,
                envelope_from="" if sender == "<>" else sender,
                envelope_to=recipient,
                source=self._house.source,
            )
            for recipient in self._now.rcpt_tos
        ]
        # A time limit that struck during the commit would make the client give the mail again.
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        outcome = await self._house.keep(mails)
        self._reset_timeout()
        return [_said(one) for one in outcome]

    async def _answer(self, answers: list[str]) -> None:
        """By SMTP one answer for all: when one could not be kept, all are given again (and kept once)."""
        self._free()
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        worst = max(answers, key=lambda answer: answer[0])
        await self.push(worst)

    async def _content(self) -> bytes:
        """Everything up to the lonely dot. Raises TooLarge, CutOff, or MemoryError when no room is left."""
        # The line break before the first line; with it the dot that ends an empty mail is no special case.
        content, total, progress, room = bytearray(b"\r\n"), 0, 0, True
        while True:
            piece = await self._reader.read(_EVERYTHING)
            if not piece:
                raise ConnectionResetError("the client left in the middle of a mail")
            total += len(piece)
            progress += len(piece)
            if progress > _PROGRESS:
                self._reset_timeout()
                progress = 0
            room = room and (total > LARGEST or self._make_room(len(piece)))
            searched = max(0, len(content) - len(_END) + 1)
            content += piece
            end = content.find(_END, searched)
            if end >= 0:
                break
            if total > _PATIENCE:
                raise CutOff
            if total > LARGEST or not room:
                del content[: -len(_END)]  # only what tells the end is still of interest
                self._free()
        if rest := bytes(content[end + len(_END) :]):
            self._reader.feed_data(rest)  # the client's next commands; the reader was empty until now
        if not room:
            raise MemoryError
        if total - len(rest) > LARGEST + len(_END):
            raise TooLarge
        del content[end + 2 :]
        # Lines that begin with a dot came with a second one (RFC 5321, 4.5.2).
        return bytes(content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content)[2:]

    @property
    def _now(self) -> Envelope:
        """The mail that is being talked about."""
        return self.envelope or Envelope()

    def hang_up(self) -> None:
        """End the conversation, after what was said already."""
        if self.transport is not None:
            self.transport.close()

    def _make_room(self, size: int) -> bool:
        if not self._house.reserve(self, size):
            return False
        self._reserved += size
        return True

    def _free(self) -> None:
        self._house.release(self, self._reserved)
        self._reserved = 0


class LocalConversation(LMTP, Conversation):
    """LMTP (RFC 2033): the same, with an answer for each recipient in their order."""

    async def _answer(self, answers: list[str]) -> None:
        self._free()
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push("\r\n".join(answers))


def _said(outcome: Kept | BaseException) -> str:
    if isinstance(outcome, BaseException):
        return TRY_AGAIN
    return f"250 2.0.0 kept as {outcome.id}"
