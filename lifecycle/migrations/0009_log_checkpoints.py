
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lifecycle', '0008_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogCheckpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('size', models.BigIntegerField(unique=True)),
                ('root', models.CharField(max_length=64)),
                ('head', models.CharField(max_length=64)),
                ('previous', models.CharField(max_length=64, unique=True)),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
                ('signature', models.CharField(max_length=128)),
                ('key_id', models.CharField(max_length=16)),
                ('frontier', models.JSONField(default=list)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'log checkpoint',
                'verbose_name_plural': 'log checkpoints',
                'ordering': ['-size'],
            },
        ),
        migrations.CreateModel(
            name='LogVerification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('whole', 'everything fits'), ('broken', 'something does not fit'), ('failed', 'broken off')], default='waiting', max_length=10)),
                ('is_full', models.BooleanField(default=False)),
                ('requested_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('total', models.BigIntegerField(default=0)),
                ('checked', models.BigIntegerField(default=0)),
                ('checkpoints', models.BigIntegerField(default=0)),
                ('signatures_checked', models.BooleanField(default=False)),
                ('bad_seq', models.BigIntegerField(blank=True, null=True)),
                ('bad_checkpoint', models.BigIntegerField(blank=True, null=True)),
                ('fault', models.CharField(blank=True, max_length=40)),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'check of the log',
                'verbose_name_plural': 'checks of the log',
                'ordering': ['-pk'],
            },
        ),
    ]
