"""What is begun stands in groups, and no index depends on what changes between a claim and its outcome.

With room left on every page, the outcome is written beside the old row (a HOT update) and into no index.
"""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulk", "0003_fewer_indexes"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE bulk_delivery SET (fillfactor = 50)", "ALTER TABLE bulk_delivery RESET (fillfactor)"
        ),
        migrations.CreateModel(
            name="Begun",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "deliveries",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_unreported",
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_run",
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_ready",
        ),
        migrations.AddField(
            model_name="delivery",
            name="is_aside",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("state__in", ["deferred", "failed", "skipped"])),
                    output_field=models.BooleanField(),
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="is_unreported",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("reported_at__isnull", True), ("state", "failed")),
                    output_field=models.BooleanField(),
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="is_waiting",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("state__in", ["pending", "deferred"])), output_field=models.BooleanField()
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("is_waiting", True)),
                fields=["run", "next_at", "id"],
                name="delivery_ready",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("is_unreported", True)), fields=["id"], name="delivery_unreported"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["run", "id"], name="delivery_run"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("is_aside", True)), fields=["run", "id"], name="delivery_aside"
            ),
        ),
    ]
