"""Every index of a delivery is written three times per mail; these three found nothing that others do not."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bulk", "0002_ready_per_run")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_held"),
        migrations.AlterField(
            model_name="delivery",
            name="edition",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="bulk.edition",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="bulk.run",
            ),
        ),
    ]
