"""Django's registration of this package."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "sentinel.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
