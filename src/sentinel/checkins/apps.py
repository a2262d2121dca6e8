"""Django's registration of this package."""

from django.apps import AppConfig


class CheckinsConfig(AppConfig):
    name = "sentinel.checkins"
    label = "checkins"
    default_auto_field = "django.db.models.BigAutoField"
