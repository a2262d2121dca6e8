"""The user's own telephone on their profile: the number, and a test call to it."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url

from sentinel.kernel.errors import NotAllowed, NotFound, Refused
from sentinel.people.telephone import set_telephone
from sentinel.web.access import ConsoleRequest, done, screen, status_of
from sentinel.web.forms.telephone import TelephoneForm
from sentinel.web.reads.telephone import own_test
from sentinel.web.screens.line import STOP_ASKING
from sentinel.web.screens.profile import profile_page
from sentinel.workflows.test_call import place_test_call


@screen(methods=("POST",))
def telephone_set(request: ConsoleRequest) -> HttpResponse:
    """The user enters their own number."""
    form = TelephoneForm(request.POST, prefix="telephone")
    if not form.is_valid():
        return profile_page(request, telephone=form, status=422)
    number = form.cleaned_data["number"]
    set_telephone(user_id=request.user.pk, number=number, actor=request.user, now=request.now)
    return done(request, "Your telephone is noted." if number else "Your telephone is removed.", "profile")


@screen(methods=("POST",))
def telephone_test(request: ConsoleRequest) -> HttpResponse:
    """The user lets their own telephone ring."""
    try:
        place_test_call(user=request.user, now=request.now)
    except (NotAllowed, NotFound):
        raise
    except Refused as refused:
        return profile_page(request, call_refused=refused.message, status=status_of(refused))
    return HttpResponseRedirect(f"{resolve_url('profile')}#telephone", status=303)


@screen()
def telephone_line(request: ConsoleRequest) -> HttpResponse:
    """The user watches their test call; the profile asks each second while it goes on."""
    test = own_test(request.user, request.now)
    if not request.htmx:
        return HttpResponseRedirect(f"{resolve_url('profile')}#telephone", status=303)
    if test is None:
        return HttpResponse(status=STOP_ASKING)
    if request.GET.get("tested") == test.fingerprint:
        return HttpResponse(status=204 if test.is_going_on else STOP_ASKING)
    context = {"test": test, "now": request.now}
    return render(
        request, "web/people/test_call.html", context, status=200 if test.is_going_on else STOP_ASKING
    )
