"""What the page shells need to know, as plain values: `frame` in the template context.

`ui/console.html` expects a `ConsoleFrame`, `ui/respond.html` a `WorkerFrame`. Every field has a harmless
default, so a page without a frame (an error page, a test) still renders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link of a navigation, menu or row of tabs.

    `icon` is a heroicons name, `key` a shortcut as `data-key` understands it ("g t"), `count` a number shown
    beside the label (nothing when None), `tone` the colour of that number.
    """

    label: str
    url: str
    icon: str = ""
    key: str = ""
    current: bool = False
    count: int | None = None
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The demonstration banner: `clock` is the text of the demonstration clock, `links` lead to its tools."""

    clock: str
    links: Sequence[NavItem] = ()


@dataclass(frozen=True, slots=True)
class ConsoleFrame:
    """The frame around every console page. `alarm` is a sentence for the red bar, `muted` one for
    the bar that says that notices wait; both are empty when all is well."""

    provider: str = ""
    nav: Sequence[NavItem] = ()
    menu: Sequence[NavItem] = ()
    home_url: str = "/"
    viewer_name: str = ""
    viewer_role: str = ""
    sign_out_url: str = ""
    notices_url: str = ""
    notice_count: int = 0
    ribbon: Ribbon | None = None
    alarm: str = ""
    muted: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """One choice of the language switch; `name` is the language's own name for itself."""

    code: str
    name: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class WorkerFrame:
    """The frame around a worker's page. Empty addresses hide their links."""

    provider: str = ""
    languages: Sequence[Language] = ()
    preferences_url: str = ""
    unsubscribe_url: str = ""
    privacy_url: str = ""
