"""Deliveries are claimed run by run: one that is paused, however long, must not be waded through."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bulk", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_ready"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "deferred"])),
                fields=["run", "next_at", "id"],
                name="delivery_ready",
            ),
        ),
    ]
