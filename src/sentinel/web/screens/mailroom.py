"""The mail room: every mail that the demonstration sent, to be opened as its recipient."""

from __future__ import annotations

from email.utils import parseaddr

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin

from sentinel.accounts.models import Worker
from sentinel.demonstration.models import CaughtMail
from sentinel.demonstration.replies import File, reply_to_caught_mail
from sentinel.demonstration.selectors import OpenedLetter, caught_mail, count_caught_mails
from sentinel.people.models import User
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.fields import text_field

PER_PAGE = 25
GROUPS = {"": "Everybody", "worker": "Workers", "user": "Colleagues"}
# A mail is a stranger's page: no script, no form, no origin; only its links work, in a new tab.
FRAME_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src data: 'self'",
        "style-src 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    )
)
# The page around it is the console's own, with that one frame.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
NEW_TAB = '<base target="_blank">'


@screen(demonstration_only=True)
def mailroom(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, in demonstration mode only (404 otherwise): all mail is fiction there."""
    recipient, search = request.GET.get("to", "")[:320], request.GET.get("q", "")[:100]
    group = request.GET.get("group", "")
    rows = _letters(recipient=recipient, search=search, group=group)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    names = _names({letter.recipient for letter in page})
    context = {
        "page": page,
        "letters": [(letter, *names.get(letter.recipient.lower(), ("", ""))) for letter in page],
        "total": count_caught_mails(),
        "to": recipient,
        "search": search,
        "group": group,
        "groups": GROUPS.items(),
    }
    return show(request, "web/mailroom/list.html", context)


class ReplyForm(forms.Form):
    """What the recipient answers, as they would in their own mail program."""

    words = text_field("Your answer", rows=4, required=False)
    file = forms.FileField(label="A picture or file", required=False)


@screen(methods=("GET", "POST"), demonstration_only=True)
def mail(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """One mail as its recipient sees it; its links, and a reply, act as that person."""
    form = ReplyForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return _page(request, mail_id, form)
    if not form.is_valid():
        return _page(request, mail_id, form, status=422)
    sent = form.cleaned_data["file"]
    with refusals_on(form) as refused:
        reply_to_caught_mail(
            mail_id=mail_id,
            words=form.cleaned_data["words"],
            file=File(name=sent.name, content=sent.read()) if sent else None,
            now=request.now,
        )
    if refused:
        return _page(request, mail_id, form, status=refused.status)
    return done(request, "Your reply was handed over. Sentinel reads it within a second.", "mail", mail_id)


def _page(request: ConsoleRequest, mail_id: int, form: ReplyForm, *, status: int = 200) -> HttpResponse:
    opened = _opened(mail_id)
    who, role = _names({opened.letter.recipient}).get(opened.letter.recipient.lower(), ("", ""))
    sender_name, sender_address = parseaddr(dict(opened.headers).get("From", opened.letter.sender))
    context = {
        "opened": opened,
        "letter": opened.letter,
        "who": who,
        "role": role,
        "sender_name": sender_name or sender_address,
        "sender_address": sender_address,
        "form": form,
        "takes_replies": bool(settings.INBOUND_DOMAIN)
        and settings.INBOUND_DOMAIN in dict(opened.headers).get("Reply-To", ""),
    }
    response = show(request, "web/mailroom/mail.html", context, status=status)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


@xframe_options_sameorigin
@screen(demonstration_only=True)
def mail_html(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """The HTML part alone, for the sandboxed frame, under a policy of its own."""
    opened = _opened(mail_id)
    html = (
        opened.html.replace("<head>", f"<head>{NEW_TAB}", 1)
        if "<head>" in opened.html
        else NEW_TAB + opened.html
    )
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _letters(*, recipient: str, search: str, group: str) -> QuerySet[CaughtMail]:
    """The caught mails, newest first; ``search`` is part of a subject, an address or a site's name."""
    rows = CaughtMail.objects.defer("raw").alias(to=Lower("recipient")).order_by("-id")
    if recipient:
        rows = rows.filter(to=recipient.lower())
    if group == "worker":
        rows = rows.filter(to__in=Worker.objects.values_list(Lower("email")))
    elif group == "user":
        rows = rows.filter(to__in=User.objects.values_list(Lower("email")))
    if search:
        there = Worker.objects.filter(site__name__icontains=search).values_list(Lower("email"))
        words = Q(subject__icontains=search) | Q(recipient__icontains=search) | Q(kind=search)
        rows = rows.filter(words | Q(to__in=there))
    return rows


def _opened(mail_id: int) -> OpenedLetter:
    found = caught_mail(mail_id)
    if found is None:
        raise Http404("no such mail")
    return found


def _names(addresses: set[str]) -> dict[str, tuple[str, str]]:
    """Address → (name, "worker" or "user") of whoever it belongs to."""
    wanted = {address.lower() for address in addresses}
    workers = Worker.objects.filter(email__in=addresses | wanted).values_list("email", "name")
    users = User.objects.filter(email__in=addresses | wanted).values_list("email", "name")
    found = {email.lower(): (name, "worker") for email, name in workers}
    return found | {email.lower(): (name, "user") for email, name in users}
