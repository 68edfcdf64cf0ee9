from django.db import migrations, models

Q = models.Q


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0018_feishu_messages")]

    operations = [
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=Q(finished_at__isnull=True),
                fields=["change"],
                name="one_attempt_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=Q(finished_at__isnull=True, outcome="")
                | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="attempt_ends_with_an_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="statuschange",
            constraint=models.CheckConstraint(
                condition=Q(next_run_at__isnull=False) | ~Q(status__in=["approved", "verifying"]),
                name="change_due_when_it_goes_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="statuschange",
            constraint=models.CheckConstraint(
                condition=~Q(settled_via="") | ~Q(status="succeeded"),
                name="change_done_somehow",
            ),
        ),
    ]
