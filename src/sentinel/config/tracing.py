"""Every request has an id that stands in all its log lines."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sentinel.kernel import traces


class RequestIds:
    """Middleware: binds the request's id for the length of the request; see :mod:`sentinel.kernel.traces`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with traces.request(traces.request_id(request.headers.get("traceparent", ""))):
            return self.get_response(request)
