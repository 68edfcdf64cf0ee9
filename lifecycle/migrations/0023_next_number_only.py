from django.db import migrations

from lifecycle import append_only


def install(apps, schema_editor):
    append_only.install(schema_editor.connection)


def lift(apps, schema_editor):
    append_only.BESIDE.lift(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0022_reports_index")]
    operations = [migrations.RunPython(install, lift)]
