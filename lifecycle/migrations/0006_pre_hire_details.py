from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0005_sorted_records")]

    operations = [
        migrations.AddField(
            model_name="prehire",
            name="detail",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="prehire",
            name="detail_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
