from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    """Only what Django writes when none is given; the column stays, so that SQLite rebuilds no table."""

    dependencies = [
        ("credit_requests", "0005_fill_queue"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="creditrequest",
                    name="created_at",
                    field=models.DateTimeField(default=timezone.now, editable=False),
                ),
            ]
        ),
    ]
