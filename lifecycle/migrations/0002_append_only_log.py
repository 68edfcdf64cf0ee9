from django.db import migrations

from lifecycle import append_only


def install(apps, schema_editor):
    append_only.TRIGGERS.install(schema_editor.connection)


def lift(apps, schema_editor):
    append_only.TRIGGERS.lift(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0001_initial")]
    operations = [migrations.RunPython(install, lift)]
