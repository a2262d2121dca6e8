"""Every address Sentinel answers to."""

from allauth.account.urls import urlpatterns as account_urls
from allauth.account.views import login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def alive(_request: HttpRequest) -> HttpResponse:
    """Says that this process answers requests; load balancers and `sentinel up` ask."""
    return HttpResponse("ok\n", content_type="text/plain")


# The sign-in page itself gets the short address; everything else about an account lies below it.
sign_in = [path("", login, name="account_login")]
sign_in += [pattern for pattern in account_urls if pattern.name != "account_login"]

urlpatterns = [
    path("health/web", alive, name="health-web"),
    path("sign-in/", include(sign_in)),
    path("admin/", admin.site.urls),
    path("", include("sentinel.respond.urls")),
    path("", include("sentinel.web.urls")),
]
