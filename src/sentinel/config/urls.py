"""Every address Sentinel answers to."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def alive(_request: HttpRequest) -> HttpResponse:
    """Says that this process answers requests; `sentinel doctor` and load balancers ask."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("health/web", alive, name="health-web"),
    path("sign-in/", include("allauth.account.urls")),
    path("back-office/", admin.site.urls),
]
