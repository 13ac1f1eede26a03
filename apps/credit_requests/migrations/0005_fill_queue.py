from django.db import migrations
from django.utils import timezone

from apps.credit_requests.guards import of_its_prediction

# What the log tells in clear. What only opened profiles and records tell is left to a job: a migration has no keys.
FILL = """
UPDATE credit_requests_creditrequest SET
    score = (SELECT score FROM scoring_engine_predictionlog p WHERE p.id = prediction_id),
    grade = (SELECT grade FROM scoring_engine_predictionlog p WHERE p.id = prediction_id),
    is_fallback = (SELECT p.mode = 'fallback' FROM scoring_engine_predictionlog p WHERE p.id = prediction_id),
    is_demonstration =
        (SELECT p.purpose = 'demonstration' FROM scoring_engine_predictionlog p WHERE p.id = prediction_id)
WHERE prediction_id IS NOT NULL
"""


def queue_the_rest(apps, editor):
    if not any(apps.get_model(name).objects.exists() for name in ("individuals.Individual", "companies.Company")):
        return
    name = "fill_search"
    apps.get_model("common.Job").objects.create(name=name, arguments={}, key=f"{name}:{{}}", due_at=timezone.now())


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0003_name_words'),
        ('credit_requests', '0004_queue'),
    ]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        of_its_prediction(),
        migrations.RunPython(queue_the_rest, migrations.RunPython.noop),
    ]
