import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0002_keys'),
        ('access', '__first__'),
        ('routing', '0005_strategy_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='WaveSchedule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                ('times', models.CharField(blank=True, help_text='e.g. 10:00, 14:00, 17:30', max_length=200, verbose_name='times of the day')),
                ('every_hours', models.PositiveSmallIntegerField(blank=True, help_text='Counted from midnight; times of the day are left empty then.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(24)], verbose_name='or every so many hours')),
                ('time_zone', models.CharField(default='Asia/Shanghai', max_length=40, verbose_name='time zone')),
                ('replan_minutes', models.PositiveSmallIntegerField(default=5, help_text='0 plans at the moment of the release.', validators=[django.core.validators.MaxValueValidator(120)], verbose_name='minutes before the release to plan anew')),
                ('max_changes', models.PositiveIntegerField(blank=True, help_text='Empty means no limit; 0 changes nothing.', null=True, verbose_name='at most changed orders')),
                ('seconds_limit', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='seconds to think')),
                ('is_active', models.BooleanField(default=True, help_text='Switched off, the waiting orders go to the warehouses at once.', verbose_name='active')),
                ('counts_from', models.DateTimeField(editable=False, verbose_name='counts from')),
            ],
            options={
                'verbose_name': 'pick wave schedule',
                'verbose_name_plural': 'pick wave schedules',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('merchant',), name='routing_waves_one_schedule')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='PickWave',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waves', to='routing.waveschedule', verbose_name='schedule')),
                ('releases_at', models.DateTimeField(verbose_name='released at')),
                ('is_manual', models.BooleanField(default=False, verbose_name='by hand')),
                ('state', models.CharField(choices=[('open', 'collecting'), ('planned', 'planned together'), ('released', 'released')], default='open', max_length=8, verbose_name='state')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('planned_at', models.DateTimeField(null=True, verbose_name='planned at')),
                ('released_at', models.DateTimeField(null=True, verbose_name='finished at')),
                ('orders', models.PositiveIntegerField(default=0, verbose_name='orders planned together')),
                ('untouched', models.PositiveIntegerField(default=0, verbose_name='left as they were')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='orders changed')),
                ('conflicts', models.PositiveIntegerField(default=0, verbose_name='changes not possible any more')),
                ('released', models.PositiveIntegerField(default=0, verbose_name='orders released')),
                ('cost_before', models.DecimalField(decimal_places=4, max_digits=16, null=True, verbose_name='cost before')),
                ('cost_after', models.DecimalField(decimal_places=4, max_digits=16, null=True, verbose_name='cost after')),
                ('lower_bound', models.DecimalField(decimal_places=4, max_digits=16, null=True, verbose_name='cost at least')),
                ('gap', models.DecimalField(decimal_places=6, max_digits=9, null=True, verbose_name='certified gap')),
                ('seconds', models.DecimalField(decimal_places=3, max_digits=8, null=True, verbose_name='seconds')),
                ('changes', models.JSONField(default=list, verbose_name='changes')),
                ('loads', models.JSONField(default=list, verbose_name='load by warehouse')),
                ('error', models.CharField(blank=True, max_length=500, verbose_name='error')),
            ],
            options={
                'verbose_name': 'pick wave',
                'verbose_name_plural': 'pick waves',
                'indexes': [models.Index(condition=models.Q(('state', 'released'), _negated=True), fields=['releases_at'], name='routing_waves_open'), models.Index(fields=['merchant', '-releases_at'], name='routing_waves_newest')],
                'constraints': [models.UniqueConstraint(fields=('schedule', 'releases_at'), name='routing_waves_once')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalWaveSchedule',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                ('times', models.CharField(blank=True, help_text='e.g. 10:00, 14:00, 17:30', max_length=200, verbose_name='times of the day')),
                ('every_hours', models.PositiveSmallIntegerField(blank=True, help_text='Counted from midnight; times of the day are left empty then.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(24)], verbose_name='or every so many hours')),
                ('time_zone', models.CharField(default='Asia/Shanghai', max_length=40, verbose_name='time zone')),
                ('replan_minutes', models.PositiveSmallIntegerField(default=5, help_text='0 plans at the moment of the release.', validators=[django.core.validators.MaxValueValidator(120)], verbose_name='minutes before the release to plan anew')),
                ('max_changes', models.PositiveIntegerField(blank=True, help_text='Empty means no limit; 0 changes nothing.', null=True, verbose_name='at most changed orders')),
                ('seconds_limit', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='seconds to think')),
                ('is_active', models.BooleanField(default=True, help_text='Switched off, the waiting orders go to the warehouses at once.', verbose_name='active')),
                ('counts_from', models.DateTimeField(editable=False, verbose_name='counts from')),
                ('merchant', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='access.merchant', verbose_name='merchant')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical pick wave schedule',
                'verbose_name_plural': 'historical pick wave schedules',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
                'indexes': [],
                'constraints': [],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]

