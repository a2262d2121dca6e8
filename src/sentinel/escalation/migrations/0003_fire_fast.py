"""What is due is read in the order in which it fires, without sorting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalation", "0002_one_duty")]
    operations = [
        migrations.RemoveIndex(model_name="duty", name="duty_due"),
        migrations.AddIndex(
            model_name="duty",
            index=models.Index(
                fields=["fire_at", "problem"],
                name="duty_due",
                condition=models.Q(quarantined_at__isnull=True),
            ),
        ),
    ]
