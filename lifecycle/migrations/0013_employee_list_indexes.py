from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0012_auditors_desk")]

    operations = [
        migrations.AddIndex(
            model_name="employee",
            index=models.Index(
                fields=["onboard_status", "conversion_status", "converted_on"],
                name="lifecycle_e_onboard_73b81e_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="employee",
            index=models.Index(
                fields=["onboard_status", "due_sort_on", "id"],
                name="lifecycle_e_onboard_ed3a4b_idx",
            ),
        ),
    ]
