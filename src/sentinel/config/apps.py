"""Django's registration of this package."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in


class ConfigConfig(AppConfig):
    """Comes last in the list, so that every package is ready when the wiring looks at it."""

    name = "sentinel.config"
    label = "config"

    def ready(self) -> None:
        # why: both import models, which only exist once the packages are registered
        from sentinel.config.sign_in import record_sign_in

        # why: as above
        from sentinel.config.wiring import wire

        # A signal, because Django and allauth are who signs people in: neither calls us in any other way.
        # Django's own rather than allauth's, because the admin's and the demonstration's doors send it too.
        user_logged_in.connect(record_sign_in, dispatch_uid="sentinel.sign_in")
        wire(demonstration=settings.DEMONSTRATION)
