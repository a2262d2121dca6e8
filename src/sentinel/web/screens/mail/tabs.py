"""The row of tabs above every mail screen: each viewer sees the rooms they may enter."""

from __future__ import annotations

from django.urls import reverse

from sentinel.people.rules import Role
from sentinel.ui.frames import NavItem
from sentinel.web.access import ConsoleRequest
from sentinel.web.reads.mail import waiting_mails

#: Who sees how mail flows. What belongs to one worker is still shown only to who may see the account.
LOOKING = (Role.ADMINISTRATOR, Role.ANALYST, Role.MANAGER, Role.EXECUTIVE)
#: Who may stop mail, lift a suppression, release a brake.
STEERING = (Role.ADMINISTRATOR,)


def mail_tabs(request: ConsoleRequest) -> list[NavItem]:
    """The tabs of this viewer; the current one is marked by the request's path."""
    waiting = waiting_mails(request, request.user, request.now)
    tabs = [_tab(request, "Came in", "mail-incoming", waiting or None, "suffer")]
    if request.user.has_role(*LOOKING):
        tabs = [_tab(request, "On its way", "mail-runs"), *tabs]
        tabs += [
            _tab(request, label, name)
            for label, name in (
                ("Domains", "mail-domains"),
                ("Left alone", "mail-suppressions"),
                ("Mail doctor", "mail-doctor"),
                ("Scanners", "mail-scanners"),
            )
        ]
    return tabs


def _tab(
    request: ConsoleRequest, label: str, name: str, count: int | None = None, tone: str = "neutral"
) -> NavItem:
    url = reverse(name)
    return NavItem(label, url, current=request.path.startswith(url), count=count, tone=tone)
