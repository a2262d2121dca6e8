"""What shows that a human pressed, and the plain step for everybody whose browser cannot show it.

Scanners open links, run scripts and press buttons, but they neither type nor read. So a press counts when
the page's script saw a trusted event, when somebody typed words, or when somebody chose the word they
were asked for.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sentinel.respond.links import Opened, T
from sentinel.respond.pages import page
from sentinel.workflows.record_response import Signals
from sentinel.workflows.scanner_habits import is_doubtful_worker

#: The words of the plain step: short, concrete, unlike each other in every language we speak.
WORDS = {
    "flower": pgettext_lazy("word to choose", "flower"),
    "river": pgettext_lazy("word to choose", "river"),
    "window": pgettext_lazy("word to choose", "window"),
    "bread": pgettext_lazy("word to choose", "bread"),
    "bridge": pgettext_lazy("word to choose", "bridge"),
    "moon": pgettext_lazy("word to choose", "moon"),
    "chair": pgettext_lazy("word to choose", "chair"),
    "horse": pgettext_lazy("word to choose", "horse"),
}
PATIENCE = timedelta(hours=2)
_SALT = "sentinel.respond.plain_step"
#: Fields that belong to one press and must not be carried into the next.
_OF_THIS_PRESS = ("step", "word", "trusted", "script_ran", "csrfmiddlewaretoken")


def signals_of(request: HttpRequest, opened: Opened[T]) -> Signals:
    """What this POST says about who pressed."""
    return Signals(
        trusted_event=request.POST.get("trusted") == "1",
        script_ran=request.POST.get("script_ran") == "1",
        plain_step_passed=_passed(request, opened),
    )


def is_human(signals: Signals, opened: Opened[T], *, typed: str = "") -> bool:
    """Whether a press counts where only a human's may: a trusted event, the plain step, or typed words.

    An event alone is no proof in the minute after a mail left for a domain whose scanners press buttons.
    """
    if signals.plain_step_passed or typed.strip():
        return True
    return signals.trusted_event and not is_doubtful_worker(opened.worker, opened.now)


def plain_step(request: HttpRequest, opened: Opened[T]) -> HttpResponse:
    """Ask for one named word of three, carrying everything already filled in; nothing is stored."""
    target, words = _draw(opened, again=request.POST.get("step", ""))
    challenge = Signer(salt=_SALT).sign_object(
        {"token": opened.token, "word": target, "at": int(opened.now.timestamp())}
    )
    carried = [
        (name, value)
        for name in request.POST
        if name not in _OF_THIS_PRESS
        for value in request.POST.getlist(name)
    ]
    context = {
        "target": WORDS[target],
        "words": [(code, WORDS[code]) for code in words],
        "challenge": challenge,
        "carried": carried,
        "was_wrong": bool(request.POST.get("step")),
        "action": request.get_full_path(),
        "heading": _("One more step"),
    }
    return page(request, opened, "respond/plain_step.html", context)


def _draw(opened: Opened[T], *, again: str) -> tuple[str, list[str]]:
    """A target and three words in order, settled by token and minute (and by a wrong choice before).

    The target never stands first: whatever fills in forms by itself takes the first choice.
    """
    minute = int(opened.now.timestamp()) // 60
    seed = salted_hmac(_SALT, f"{opened.token}|{minute}|{again}").digest()
    codes = sorted(WORDS, key=lambda code: salted_hmac(_SALT, code, secret=seed).digest())
    target, *others = codes[:3]
    position = 1 + seed[0] % 2
    return target, [*others[:position], target, *others[position:]]


def _passed(request: HttpRequest, opened: Opened[T]) -> bool:
    try:
        challenge = Signer(salt=_SALT).unsign_object(request.POST.get("step", ""))
    except (BadSignature, ValueError):
        return False
    age = opened.now.timestamp() - challenge["at"]
    is_right = (challenge["token"], challenge["word"]) == (opened.token, request.POST.get("word"))
    return is_right and bool(abs(age) <= PATIENCE.total_seconds())
