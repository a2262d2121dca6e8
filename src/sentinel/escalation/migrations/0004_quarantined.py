"""What was put aside is found without looking at every duty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalation", "0003_fire_fast")]
    operations = [
        migrations.AddIndex(
            model_name="duty",
            index=models.Index(
                fields=["quarantined_at"],
                name="duty_quarantined",
                condition=models.Q(quarantined_at__isnull=False),
            ),
        ),
    ]
