"""A kit that plays the programs which protect mailboxes: they open links, and some press buttons.

Each scanner is described by what was published about it, and behaves so towards every link it is given.
Those here speak HTTP; the tests that drive a real browser are marked ``e2e``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Protocol

from django.test import Client

from sentinel.kernel.clock import FixedClock

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
#: What a page's script fills in when it ran and nobody touched the page, and when somebody did.
NOTHING: dict[str, str] = {"script_ran": "", "trusted": ""}
SCRIPT: dict[str, str] = {"script_ran": "1", "trusted": ""}
TRUSTED: dict[str, str] = {"script_ran": "1", "trusted": "1"}


@dataclass
class Web:
    """The scanner's way to us: its own address, its own name, no cookies kept between visits."""

    clock: FixedClock
    address: str = "40.94.29.10"
    agent: str = CHROME
    statuses: list[int] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """One request, redirects followed; the page, empty for HEAD."""
        client = Client(headers={"User-Agent": self.agent, **(headers or {})}, REMOTE_ADDR=self.address)
        arguments: dict[str, Any] = {"follow": True}
        if fields is not None:
            arguments["data"] = dict(fields)
        response = getattr(client, method.lower())(path, **arguments)
        self.statuses.append(response.status_code)
        return str(response.content.decode(errors="replace"))

    def wait(self, **delta: float) -> None:
        """Time passes for everybody."""
        self.clock.advance(**delta)


class Scanner(Protocol):
    """Visits the links of a mailbox. ``presses``: it also presses buttons."""

    @property
    def name(self) -> str: ...
    @property
    def presses(self) -> bool: ...
    def scan(self, paths: Sequence[str], web: Web) -> None: ...


@dataclass(frozen=True)
class HeadThenGet:
    """The plainest one: HEAD to see what it is, then GET, then GET once more for luck."""

    name: str = "HEAD, GET, GET"
    presses: bool = False

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for path in paths:
            for method in ("HEAD", "GET", "GET"):
                web.ask(method, path)


@dataclass(frozen=True)
class SafeLinks:
    """Microsoft: HEAD and GET at delivery, and forms that a page's script would submit by itself are
    submitted. A page that waits for a person has none of these."""

    name: str = "Safe Links"
    presses: bool = True

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for path in paths:
            web.ask("HEAD", path)
            html = web.ask("GET", path)
            for form in forms_of(html):
                # The hostile reading: whatever form there is goes out with what the script had filled in.
                web.ask("POST", form.action or path, {**form.hidden, **SCRIPT})


@dataclass(frozen=True)
class Barracuda:
    """Links "must be clicked": both faces, the hidden link, the links in the headers, unsubscribing first."""

    name: str = "Barracuda"
    presses: bool = False

    def scan(self, paths: Sequence[str], web: Web) -> None:
        agent = Web(web.clock, address="64.235.154.109", agent="Mozilla/5.0 (compatible; BarracudaCentral)")
        for path in sorted(paths, key=lambda p: not p.startswith("/u/")):
            agent.ask("GET", path)
        web.statuses += agent.statuses


@dataclass(frozen=True)
class Proofpoint:
    """Opens each link as an ordinary Chrome and follows every link of the page it finds, one level deep."""

    name: str = "Proofpoint"
    presses: bool = False

    def scan(self, paths: Sequence[str], web: Web) -> None:
        crawler, seen = Web(web.clock, address="148.163.148.5"), set(paths)
        for path in paths:
            further = set(links_of(crawler.ask("GET", path))) - seen
            for one in sorted(further):
                crawler.ask("GET", one)
            seen |= further
        web.statuses += crawler.statuses


@dataclass(frozen=True)
class Mimecast:
    """Looks at delivery, and again hours later from another address, when somebody might have clicked."""

    name: str = "Mimecast"
    presses: bool = False

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for address, hours in (("207.211.31.81", 0.0), ("91.220.42.10", 2.0), ("91.220.42.11", 30.0)):
            web.wait(hours=hours)
            visitor = Web(web.clock, address=address, agent="Mimecast/1.0 (+https://www.mimecast.example)")
            for path in paths:
                visitor.ask("GET", path)
            web.statuses += visitor.statuses


@dataclass(frozen=True)
class Prefetcher:
    """Mail programs and browsers that load a page before anybody asked for it, and say so."""

    name: str = "prefetch"
    presses: bool = False
    hints: tuple[tuple[str, str], ...] = (
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    )

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for number, path in enumerate(paths):
            for header, value in (self.hints[number % len(self.hints)], self.hints[0]):
                web.ask("GET", path, headers={header: value})


@dataclass(frozen=True)
class ButtonPresser:
    """Presses every button of every form, types nothing, and says of itself what ``signals`` say."""

    name: str
    signals: tuple[tuple[str, str], ...]
    presses: bool = True

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for path in paths:
            for form in forms_of(web.ask("GET", path)):
                for name, value in form.buttons or [("", "")]:
                    press = {**form.chosen, **form.hidden, **dict(self.signals)}
                    if name:
                        press[name] = value
                    # The first choice of every list: whatever fills in forms by itself takes that one.
                    answer = web.ask("POST", form.action or path, press)
                    for further in forms_of(answer):
                        first = {**further.hidden, **further.first_choices, **dict(self.signals)}
                        web.ask("POST", further.action or path, first)


@dataclass(frozen=True)
class OneFace:
    """Opens one link and presses its button, with trusted-looking events and no words: a driven browser."""

    face: str
    name: str = "one trusted-looking press"
    presses: bool = True

    def scan(self, paths: Sequence[str], web: Web) -> None:
        for path in paths:
            if path.endswith(f"/{self.face}/"):
                web.ask("GET", path)
                web.ask("POST", path, {**TRUSTED, "face": self.face})


#: Those that open and never press: nothing at all may come of them.
OPENERS: tuple[Scanner, ...] = (HeadThenGet(), Barracuda(), Proofpoint(), Mimecast(), Prefetcher())
#: Those that press without typing: nothing that matters may come of them.
PRESSERS: tuple[Scanner, ...] = (
    SafeLinks(),
    ButtonPresser("presses buttons, no script", tuple(NOTHING.items())),
    ButtonPresser("presses buttons, runs scripts", tuple(SCRIPT.items())),
)


@dataclass(frozen=True)
class Form:
    """A form as a program sees it."""

    action: str
    hidden: dict[str, str]
    chosen: dict[str, str]
    first_choices: dict[str, str]
    buttons: list[tuple[str, str]]


def forms_of(html: str) -> list[Form]:
    """The forms of a page that are sent by POST."""
    return [_form(text) for text in re.findall(r"<form\b.*?</form>", html, flags=re.S) if "post" in text]


def links_of(html: str) -> Iterator[str]:
    """The links of a page that stay with us."""
    for path in re.findall(r'<a\b[^>]*href="(/[^"#]*)"', html):
        yield unescape(path)


def _form(text: str) -> Form:
    action = re.search(r'<form[^>]* action="([^"]*)"', text)
    fields = [_attributes(tag) for tag in re.findall(r"<input\b([^>]*)>", text)]
    choices = [f for f in fields if f.get("type") == "radio"]
    firsts: dict[str, str] = {}
    for choice in choices:
        firsts.setdefault(choice.get("name", ""), choice.get("value", ""))
    buttons = [_attributes(tag) for tag in re.findall(r"<button\b([^>]*)>", text)]
    return Form(
        action=unescape(action[1]) if action else "",
        hidden={f.get("name", ""): f.get("value", "") for f in fields if f.get("type") == "hidden"},
        chosen={f.get("name", ""): f.get("value", "") for f in choices if "checked" in f},
        first_choices=firsts,
        buttons=[(b["name"], b.get("value", "")) for b in buttons if b.get("name")],
    )


def _attributes(tag: str) -> dict[str, str]:
    found = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
    bare = re.sub(r'[\w-]+="[^"]*"', "", tag).split()
    return found | dict.fromkeys(bare, "")
