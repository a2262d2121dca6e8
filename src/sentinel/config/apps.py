"""Django's registration of this package."""

from django.apps import AppConfig
from django.conf import settings


class ConfigConfig(AppConfig):
    """Comes last in the list, so that every package is ready when the wiring looks at it."""

    name = "sentinel.config"
    label = "config"

    def ready(self) -> None:
        # why: the wiring imports models, which only exist once the packages are registered
        from sentinel.config.wiring import wire

        wire(demonstration=settings.DEMONSTRATION)
