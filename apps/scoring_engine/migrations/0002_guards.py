from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from apps.common.database import insert_only

# A DELETE passes for rows that no request is linked to, and only inside the span of a recorded run.
IN_THE_SPAN_OF_A_RUN = """OLD.request_id IS NULL AND EXISTS (
    SELECT 1 FROM scoring_engine_retentionrun run
    WHERE OLD.created_at >= run.first_created_at AND OLD.created_at <= run.last_created_at)"""

# The run itself removes its span and counts it. As its definer: the processes' own role may not delete.
POSTGRESQL = [
    """
    CREATE FUNCTION scoring_engine_retentionrun_remove() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE removed bigint;
    BEGIN
        DELETE FROM scoring_engine_predictionlog
        WHERE request_id IS NULL AND created_at >= NEW.first_created_at AND created_at <= NEW.last_created_at;
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed <> NEW.row_count THEN
            RAISE EXCEPTION 'the retention run states % rows but its span holds %', NEW.row_count, removed
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER scoring_engine_retentionrun_removes AFTER INSERT ON scoring_engine_retentionrun
    FOR EACH ROW EXECUTE FUNCTION scoring_engine_retentionrun_remove()
    """,
]
SQLITE = [
    """
    CREATE TRIGGER scoring_engine_retentionrun_removes AFTER INSERT ON scoring_engine_retentionrun
    BEGIN
        DELETE FROM scoring_engine_predictionlog
        WHERE request_id IS NULL AND created_at >= NEW.first_created_at AND created_at <= NEW.last_created_at;
        SELECT RAISE(ABORT, 'the retention run does not state as many rows as its span holds')
        WHERE changes() <> NEW.row_count;
    END
    """,
]


def add_removal(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE:
        editor.execute(statement, params=None)  # a "%" in it is meant as it stands


def drop_removal(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    on_table = " ON scoring_engine_retentionrun" if editor.connection.vendor == "postgresql" else ""
    editor.execute(f"DROP TRIGGER scoring_engine_retentionrun_removes{on_table}")
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP FUNCTION scoring_engine_retentionrun_remove()")


class Migration(migrations.Migration):
    dependencies = [("scoring_engine", "0001_initial")]

    operations = [
        insert_only("scoring_engine_modelcard"),
        insert_only("scoring_engine_retentionrun"),
        insert_only("scoring_engine_predictionlog", delete_when=IN_THE_SPAN_OF_A_RUN),
        migrations.RunPython(add_removal, drop_removal),
    ]
