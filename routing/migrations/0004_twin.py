import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0002_keys'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('routing', '0003_decision_inputs'),
    ]

    operations = [
        migrations.CreateModel(
            name='TwinRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figures', models.JSONField(verbose_name='figures')),
                ('figures_key', models.CharField(editable=False, max_length=64)),
                ('days', models.PositiveSmallIntegerField(verbose_name='days')),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='until')),
                ('watermark', models.CharField(editable=False, max_length=120)),
                ('state', models.CharField(choices=[('queued', 'waiting for a worker'), ('running', 'replaying'), ('done', 'finished'), ('failed', 'not finished'), ('cancelled', 'cancelled')], default='queued', max_length=9, verbose_name='state')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='of')),
                ('result', models.JSONField(null=True, verbose_name='result')),
                ('error', models.CharField(blank=True, max_length=40, verbose_name='error')),
                ('error_facts', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('lease_token', models.CharField(blank=True, editable=False, max_length=32)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='started by')),
                ('strategy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='twin_runs', to='routing.strategy', verbose_name='strategy')),
            ],
            options={
                'verbose_name': 'what-if run',
                'verbose_name_plural': 'what-if runs',
                'indexes': [models.Index(fields=['strategy', 'figures_key', '-id'], name='routing_twin_figures'), models.Index(condition=models.Q(('state__in', ('queued', 'running'))), fields=['created_at'], name='routing_twin_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'running'))), fields=('merchant',), name='routing_twin_one_open')],
            },
        ),
    ]
