from importlib import import_module

from django.db import migrations

from apps.common.database import insert_only
from apps.scoring_engine.guards import only_moves

guards = import_module("apps.scoring_engine.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("scoring_engine", "0003_registry")]

    operations = [
        # SQLite rebuilt these tables in 0003 and dropped their guards.
        insert_only("scoring_engine_modelcard"),
        insert_only("scoring_engine_predictionlog", delete_when=guards.IN_THE_SPAN_OF_A_RUN),
        migrations.RunPython(guards.add_removal, guards.drop_removal),
        insert_only("scoring_engine_modelfile"),
        insert_only("scoring_engine_modelvalidation"),
        insert_only("scoring_engine_modelassignment"),
        only_moves(
            ("", "draft"), ("draft", "validated"), ("validated", "champion"), ("challenger", "champion"),
            ("retired", "champion"), ("validated", "challenger"), ("retired", "challenger"), ("draft", "retired"),
            ("validated", "retired"), ("challenger", "retired"), ("champion", "retired"),
        ),
    ]
