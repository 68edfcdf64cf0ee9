import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lifecycle', '0011_change_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
                ('released_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='LogReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.BigIntegerField()),
                ('conclusion', models.CharField(choices=[('in_order', 'In order'), ('question', 'To be clarified'), ('finding', 'A finding')], max_length=10)),
                ('note', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['seq'],
            },
        ),
        migrations.CreateModel(
            name='LogSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seed', models.CharField(max_length=60)),
                ('size', models.PositiveIntegerField()),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('first_seq', models.BigIntegerField()),
                ('last_seq', models.BigIntegerField()),
                ('drawn_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SavedLogView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('query', models.CharField(blank=True, max_length=1000)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AlterModelOptions(
            name='actionentry',
            options={'ordering': ['-seq'], 'verbose_name': '操作记录', 'verbose_name_plural': '操作日志'},
        ),
        migrations.AddIndex(
            model_name='actionentry',
            index=models.Index(fields=['ts'], name='action_by_time'),
        ),
        migrations.AddIndex(
            model_name='actionentry',
            index=models.Index(fields=['event', '-seq'], name='action_by_event'),
        ),
        migrations.AddIndex(
            model_name='actionentry',
            index=models.Index(fields=['actor_id', '-seq'], name='action_by_actor'),
        ),
        migrations.AddField(
            model_name='legalhold',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='legalhold',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='lifecycle.person'),
        ),
        migrations.AddField(
            model_name='legalhold',
            name='released_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='logreview',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='logsample',
            name='drawn_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='logreview',
            name='sample',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='lifecycle.logsample'),
        ),
        migrations.AddField(
            model_name='savedlogview',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_views', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='legalhold',
            constraint=models.UniqueConstraint(condition=models.Q(('released_at', None)), fields=('person',), name='one_hold_of_a_person'),
        ),
        migrations.AddConstraint(
            model_name='logreview',
            constraint=models.UniqueConstraint(fields=('sample', 'seq'), name='one_review_of_an_entry'),
        ),
        migrations.AddConstraint(
            model_name='savedlogview',
            constraint=models.UniqueConstraint(fields=('user', 'name'), name='log_view_named_once'),
        ),
    ]
