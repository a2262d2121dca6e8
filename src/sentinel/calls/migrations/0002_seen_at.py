"""When a provider last knew a call: what nobody has seen for long is lost."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial")]

    operations = [
        migrations.AddField("placedcall", "seen_at", models.DateTimeField(default=timezone.now), False),
        migrations.RemoveIndex("placedcall", "placed_call_going_on"),
        migrations.AddIndex(
            "placedcall",
            models.Index(fields=("seen_at",), name="placed_call_going_on", condition=models.Q(ended_at=None)),
        ),
    ]
