"""What lets a phone install the console and show its notices: the manifest and the service worker.

Both are the same for everybody and hold nothing about anybody, so they need no sign-in.
"""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

WORKER = Path(__file__).parent / "static" / "web" / "service-worker.js"


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The name, the icons and the first page of the installed console."""
    icons = [
        {"src": static(f"web/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    content = {
        "name": "Sentinel",
        "short_name": "Sentinel",
        "id": "/",
        "start_url": "/today/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#10201d",
        "theme_color": "#10201d",
        "icons": icons,
    }
    return JsonResponse(content, content_type="application/manifest+json")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows notices; from the root, because that is what it speaks for."""
    answer = HttpResponse(WORKER.read_text(encoding="utf-8"), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer
