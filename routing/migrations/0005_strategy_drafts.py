import django.db.models.deletion
import simple_history.models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0002_keys'),
        ('routing', '0004_prices_bans_levers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='historicalstrategy',
            name='allow_partial',
            field=models.BooleanField(db_default=True, default=True, verbose_name='ship what is there'),
        ),
        migrations.AddField(
            model_name='historicalstrategy',
            name='capacity_price_factor',
            field=models.DecimalField(db_default=Decimal('1'), decimal_places=4, default=Decimal('1'), max_digits=9, verbose_name='× capacity price'),
        ),
        migrations.AddField(
            model_name='historicalstrategy',
            name='sequence',
            field=models.CharField(blank=True, db_default='', max_length=120, verbose_name='order of the criteria'),
        ),
        migrations.AddField(
            model_name='strategy',
            name='allow_partial',
            field=models.BooleanField(db_default=True, default=True, verbose_name='ship what is there'),
        ),
        migrations.AddField(
            model_name='strategy',
            name='capacity_price_factor',
            field=models.DecimalField(db_default=Decimal('1'), decimal_places=4, default=Decimal('1'), max_digits=9, verbose_name='× capacity price'),
        ),
        migrations.AddField(
            model_name='strategy',
            name='sequence',
            field=models.CharField(blank=True, db_default='', max_length=120, verbose_name='order of the criteria'),
        ),
        migrations.AddField(
            model_name='strategyversion',
            name='is_unreplayed',
            field=models.BooleanField(db_default=False, default=False, verbose_name='published without what-if, knowingly'),
        ),
        migrations.AddField(
            model_name='strategyversion',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='note'),
        ),
        migrations.AddField(
            model_name='strategyversion',
            name='origin',
            field=models.CharField(blank=True, choices=[('preset', 'ready-made'), ('published', 'published'), ('rolled_back', 'rolled back')], db_default='', default='', max_length=12, verbose_name='origin'),
        ),
        migrations.AddField(
            model_name='strategyversion',
            name='replay',
            field=models.JSONField(blank=True, null=True, verbose_name='what-if'),
        ),
        migrations.AddField(
            model_name='strategyversion',
            name='restored_number',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='figures of version'),
        ),
        migrations.CreateModel(
            name='HistoricalStrategyRule',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                ('priority', models.PositiveSmallIntegerField(default=100, help_text='Small numbers are asked first.', verbose_name='priority')),
                ('conditions', models.JSONField(blank=True, default=dict, verbose_name='conditions')),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='valid from')),
                ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('merchant', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='access.merchant', verbose_name='merchant')),
                ('strategy', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='routing.strategy', verbose_name='strategy')),
            ],
            options={
                'verbose_name': 'historical strategy rule',
                'verbose_name_plural': 'historical strategy rules',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='StrategyDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('values', models.JSONField(verbose_name='figures')),
                ('base_number', models.PositiveIntegerField(default=0, verbose_name='based on version')),
                ('revision', models.PositiveIntegerField(default=1, verbose_name='revision')),
                ('updated_at', models.DateTimeField(verbose_name='updated at')),
                ('strategy', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='routing.strategy', verbose_name='strategy')),
                ('updated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='updated by')),
            ],
            options={
                'verbose_name': 'strategy draft',
                'verbose_name_plural': 'strategy drafts',
            },
        ),
        migrations.CreateModel(
            name='StrategyRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                ('priority', models.PositiveSmallIntegerField(default=100, help_text='Small numbers are asked first.', verbose_name='priority')),
                ('conditions', models.JSONField(blank=True, default=dict, verbose_name='conditions')),
                ('valid_from', models.DateTimeField(blank=True, null=True, verbose_name='valid from')),
                ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                ('strategy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='routing.strategy', verbose_name='strategy')),
            ],
            options={
                'verbose_name': 'strategy rule',
                'verbose_name_plural': 'strategy rules',
                'ordering': ('priority', 'pk'),
            },
        ),
    ]
