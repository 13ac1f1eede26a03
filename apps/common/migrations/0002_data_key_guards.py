from django.db import migrations, models

from apps.common.guards import only_rewrapped_or_destroyed


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0001_initial'),
    ]

    operations = [
        # Of a release before this one: a destroyed key kept the index of its owner.
        migrations.RunSQL(
            "UPDATE common_datakey SET owner_index = NULL WHERE destroyed_at IS NOT NULL AND owner_index IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name='datakey',
            index=models.Index(condition=models.Q(('destroyed_at', None)), fields=['key_id', 'id'], name='data_key_in_use'),
        ),
        migrations.AddConstraint(
            model_name='datakey',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('destroyed_at', None), models.Q(('wrapped', b''), _negated=True)), models.Q(('destroyed_at__isnull', False), ('owner_index', None), ('wrapped', b'')), _connector='OR'), name='data_key_destroyed_or_whole'),
        ),
        only_rewrapped_or_destroyed(),
    ]
