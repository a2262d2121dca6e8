"""What users are told about complaints: one worker's, a rising rate, a brake. Plain values in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sentinel.standing.rules import ALARM_RATE, LOOK_BACK, STOP_RATE, complaint_rate
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, Mail, Sender, automatic_headers, compose, headline, link, plain, quiet

_DAYS = LOOK_BACK.days


@dataclass(frozen=True, kw_only=True)
class StandingNews:
    """The same news for both channels: ``mail`` and the console's ``title``, ``text`` and ``url``."""

    mail: Mail
    title: str
    text: str
    url: str

    def console_payload(self) -> dict[str, str]:
        """The outbox payload of the channel ``console``."""
        return {"title": self.title, "text": self.text, "url": self.url}


@dataclass(frozen=True, kw_only=True)
class ComplaintFacts:
    """One worker's mail provider says that they marked our mail as unwanted."""

    sender: Sender
    language: str
    worker_id: int
    worker_name: str
    account_name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class RateFacts:
    """The complaints of one account. ``is_stopped``: its check-ins stand still from now on."""

    sender: Sender
    language: str
    account_id: int
    account_name: str
    complaints: int
    delivered: int
    is_stopped: bool


def complaint_news(facts: ComplaintFacts) -> StandingNews:
    """Tell the owner that one worker complained; Sentinel has stopped writing to them already."""
    title = f"{facts.worker_name} ({facts.account_name}) marked our mail as unwanted"
    text = (
        f"Their mail provider ({facts.source or 'unnamed'}) told us. They get no check-ins any more, and"
        " their address stays on our list of those never written to. Please do not write to them about it; if"
        " you speak with them anyway, ask what bothered them."
    )
    return _news(facts.sender, facts.language, title, text, f"/workers/{facts.worker_id}/", facts.worker_id)


def rate_news(facts: RateFacts) -> StandingNews:
    """Tell owner, manager and administrators that too many at one account complain."""
    counted = (
        f"{facts.complaints} complaints about {facts.delivered} delivered check-ins in {_DAYS} days"
        f" ({_percent(complaint_rate(complaints=facts.complaints, delivered=facts.delivered))})."
    )
    if facts.is_stopped:
        title = f"Check-ins to {facts.account_name} stand still: too many complaints"
        text = (
            f"{counted} From {_percent(STOP_RATE)} on mail providers treat us as abusers, and then no mail"
            " arrives anywhere. Find out with the customer who did not expect these mails. An administrator"
            " releases the brake with the reason."
        )
    else:
        title = f"Complaints at {facts.account_name} rise"
        text = (
            f"{counted} The alarm is at {_percent(ALARM_RATE)}; at {_percent(STOP_RATE)} the account's"
            " check-ins stop by themselves. Make sure that the workers there know who asks them, and why."
        )
    return _news(
        facts.sender, facts.language, title, text, f"/accounts/{facts.account_id}/", facts.account_id
    )


def _news(sender: Sender, language: str, title: str, text: str, path: str, subject_id: int) -> StandingNews:
    url = console_url(path)
    letter = Letter(
        subject=title,
        preheader=text,
        language=language,
        sender=sender,
        before=(headline(title), plain(text), link("Look at it", url)),
        after=(quiet("Problems that are already open are followed up as always."),),
    )
    headers = automatic_headers(stream="complaints", subject_id=subject_id)
    mail = replace(compose(letter, headers=headers), from_name="Sentinel")
    return StandingNews(mail=mail, title=title, text=text, url=url)


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %"
