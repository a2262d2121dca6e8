"""Django's registration of this package."""

from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "sentinel.problems"
    label = "problems"
    default_auto_field = "django.db.models.BigAutoField"
