"""What belongs to the user themselves: their data at a glance, light or dark, and being away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse

from sentinel.kernel.push_keys import application_key, encode, raw_public
from sentinel.outbox.digests import digest_wish, set_digest_wish
from sentinel.people.absence_calendars import absence_calendar_of
from sentinel.people.models import User
from sentinel.people.reach import reach_of, without_mail
from sentinel.people.rota import own_days_away
from sentinel.people.sealing import secrets
from sentinel.people.selectors import absences_of, active_users
from sentinel.people.services import set_absence
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.fields import moment_input, offer
from sentinel.web.forms.telephone import TelephoneForm, own_number_form
from sentinel.web.forms.ways import ChatForm, PushForm, WebhookForm, fresh_webhook_form
from sentinel.web.reads.accounts import week_lines
from sentinel.web.reads.own_days import still_officer_words
from sentinel.web.reads.telephone import own_telephone
from sentinel.web.reads.ways import ways_of


class OwnAbsenceForm(forms.Form):
    """A time away and who stands in."""

    starts_at = forms.DateTimeField(label="From", widget=moment_input())
    ends_at = forms.DateTimeField(label="Until", widget=moment_input())
    deputy = forms.ModelChoiceField(
        User.objects.none(), label="Stands in", required=False, empty_label="The deputy of each account"
    )
    reason = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "deputy", active_users().exclude(pk=user.pk))


@screen()
def profile(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, about themselves. An administrator changes name, roles and hours."""
    return profile_page(request)


class DigestForm(forms.Form):
    """The morning mail."""

    wanted = forms.BooleanField(
        label="One mail each working morning",
        required=False,
        help_text="What you owe today, what waits for a worker's yes, what is new. Never an empty one.",
    )
    only_digest = forms.BooleanField(
        label="And nothing else that is not urgent",
        required=False,
        help_text="News then come in that mail and on the console only. Alarms come at once as ever.",
    )


@screen(methods=("POST",))
def profile_digest(request: ConsoleRequest) -> HttpResponse:
    """The user says whether they want a morning mail."""
    form = DigestForm(request.POST, prefix="digest")
    form.is_valid()  # two boxes: there is nothing that could be wrong with them
    wish = set_digest_wish(user_id=request.user.pk, now=request.now, **form.cleaned_data)
    said = "You get a mail each working morning." if wish.wanted else "You get no morning mail."
    return done(request, said, "profile")


@screen(methods=("POST",))
def profile_absence(request: ConsoleRequest) -> HttpResponse:
    """The user enters their own absence."""
    form = OwnAbsenceForm(request.POST, user=request.user)
    if not form.is_valid():
        return profile_page(request, absence=form, status=422)
    values = form.cleaned_data
    with refusals_on(form) as refused:
        set_absence(
            user_id=request.user.pk,
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            deputy_id=values["deputy"].pk if values["deputy"] else None,
            reason=values["reason"],
            actor=request.user,
            now=request.now,
        )
    if refused:
        return profile_page(request, absence=form, status=refused.status)
    times = [(values["starts_at"], values["ends_at"])]
    still = still_officer_words(request.user, times=times, viewer=request.user, now=request.now)
    return done(request, f"Entered. Your duties go to whoever stands in. {still}".strip(), "profile")


def profile_page(
    request: ConsoleRequest,
    *,
    absence: OwnAbsenceForm | None = None,
    chat: ChatForm | None = None,
    push: PushForm | None = None,
    webhook: WebhookForm | None = None,
    refused: tuple[int, str] | None = None,
    telephone: TelephoneForm | None = None,
    call_refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, with a refused form in the place of a fresh one. ``refused``: a way, and why not;
    ``call_refused``: why no test call."""
    calendar = request.user.calendar
    wish = digest_wish(request.user.pk)
    context = {
        "form": absence or OwnAbsenceForm(user=request.user),
        "chat_form": chat or ChatForm(prefix="chat"),
        "webhook_form": webhook or fresh_webhook_form(),
        "push_form": push or PushForm(prefix="push"),
        "push_key": encode(raw_public(application_key(secrets()[0]).public_key())),
        "digest_form": DigestForm(
            prefix="digest", initial={"wanted": wish.wanted, "only_digest": wish.only_digest}
        ),
        "refused": refused,
        "telephone": own_telephone(request.user, request.now),
        "telephone_form": telephone or own_number_form(request.user),
        "call_refused": call_refused,
        "ways": ways_of(request.user),
        "mail_is_off": bool(without_mail([request.user])),
        "reach": reach_of(request.user, request.now),
        "rings": week_lines(request.user.reach_week) if request.user.reach_week else [],
        "absences": absences_of(request.user, request.now),
        "absence_calendar": absence_calendar_of(request.user),
        "own_days": own_days_away(request.user, request.now),
        "hours": week_lines(calendar.week) if calendar else [("Mon–Fri", "09:00–17:00")],
    }
    return show(request, "web/people/profile.html", context, status=status)
