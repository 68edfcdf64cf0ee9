from django.db import migrations

from lifecycle import person_index


def install(apps, schema_editor):
    person_index.install(schema_editor.connection)


def lift(apps, schema_editor):
    person_index.lift(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0009_log_checkpoints")]
    operations = [migrations.RunPython(install, lift)]
