from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0006_pre_hire_details")]

    operations = [
        migrations.AddField(
            model_name="talent",
            name="left_known_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="is_locked",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="application",
            name="offer",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
