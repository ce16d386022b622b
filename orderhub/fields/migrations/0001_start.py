"""All tables as they came to be in 2 steps: a new database makes them once."""

import django.db.models.deletion
import orderhub.events.operations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('fields', '0001_initial'), ('fields', '0002_personal')]

    initial = True

    dependencies = [
        ('access', '0001_start'),
        ('access', '__first__'),
    ]

    operations = [
        orderhub.events.operations.AllTables(
            tables=[
                migrations.CreateModel(
                    name='HistoricalField',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('target', models.CharField(choices=[('order', 'order'), ('line', 'order line'), ('sku', 'SKU'), ('warehouse', 'warehouse'), ('parcel', 'parcel')], max_length=10, verbose_name='belongs to')),
                        ('code', models.CharField(help_text='Small letters, digits and _; files, API and rules use it. It is never changed.', max_length=40, verbose_name='code')),
                        ('kind', models.CharField(choices=[('text', 'text'), ('integer', 'whole number'), ('decimal', 'decimal number'), ('money', "money, in the record's currency"), ('boolean', 'yes or no'), ('date', 'date'), ('time', 'time of day'), ('choice', 'one choice'), ('choices', 'several choices'), ('link', 'link')], default='text', max_length=10, verbose_name='type')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                        ('help', models.CharField(blank=True, max_length=200, verbose_name='help text')),
                        ('help_en', models.CharField(blank=True, max_length=200, verbose_name='English help text')),
                        ('unit', models.CharField(blank=True, max_length=20, verbose_name='unit')),
                        ('choices', models.JSONField(blank=True, default=list, verbose_name='choices')),
                        ('least', models.CharField(blank=True, help_text='Number, date or time; for a text its length, for several choices how many.', max_length=20, verbose_name='at least')),
                        ('most', models.CharField(blank=True, max_length=20, verbose_name='at most')),
                        ('pattern', models.CharField(blank=True, help_text='For texts, e.g. [A-Z]{2}\\d{6}: two capitals, then six digits.', max_length=200, verbose_name='pattern')),
                        ('default', models.JSONField(blank=True, null=True, verbose_name='default')),
                        ('is_required', models.BooleanField(default=False, verbose_name='required')),
                        ('seen_by', models.JSONField(blank=True, default=list, help_text='None chosen means everybody who sees the record.', verbose_name='seen by')),
                        ('edited_by', models.JSONField(blank=True, default=list, help_text='None chosen means everybody who may change the record.', verbose_name='filled by')),
                        ('merchant_may', models.CharField(choices=[('none', 'not see it'), ('read', 'see it'), ('write', 'see and fill it')], default='write', help_text='By API, in files, and on its own pages.', max_length=5, verbose_name='the merchant may')),
                        ('customer_sees', models.BooleanField(default=False, help_text='On the tracking page; for orders, lines and parcels.', verbose_name='shown to customers')),
                        ('is_personal', models.BooleanField(db_default=False, default=False, help_text='Erased with the receiver; for orders, lines and parcels.', verbose_name='personal')),
                        ('in_list', models.BooleanField(default=False, verbose_name='column of the list')),
                        ('in_filter', models.BooleanField(default=True, verbose_name='filter of the list')),
                        ('position', models.PositiveIntegerField(default=100, verbose_name='position')),
                        ('archived_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='removed at')),
                        ('updated_at', models.DateTimeField(blank=True, editable=False, verbose_name='updated at')),
                        ('merchant', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty means all merchants.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='access.merchant', verbose_name='merchant')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical custom field',
                        'verbose_name_plural': 'historical custom fields',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='Field',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(blank=True, help_text='Empty means all merchants.', null=True, on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('target', models.CharField(choices=[('order', 'order'), ('line', 'order line'), ('sku', 'SKU'), ('warehouse', 'warehouse'), ('parcel', 'parcel')], max_length=10, verbose_name='belongs to')),
                        ('code', models.CharField(help_text='Small letters, digits and _; files, API and rules use it. It is never changed.', max_length=40, verbose_name='code')),
                        ('kind', models.CharField(choices=[('text', 'text'), ('integer', 'whole number'), ('decimal', 'decimal number'), ('money', "money, in the record's currency"), ('boolean', 'yes or no'), ('date', 'date'), ('time', 'time of day'), ('choice', 'one choice'), ('choices', 'several choices'), ('link', 'link')], default='text', max_length=10, verbose_name='type')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                        ('help', models.CharField(blank=True, max_length=200, verbose_name='help text')),
                        ('help_en', models.CharField(blank=True, max_length=200, verbose_name='English help text')),
                        ('unit', models.CharField(blank=True, max_length=20, verbose_name='unit')),
                        ('choices', models.JSONField(blank=True, default=list, verbose_name='choices')),
                        ('least', models.CharField(blank=True, help_text='Number, date or time; for a text its length, for several choices how many.', max_length=20, verbose_name='at least')),
                        ('most', models.CharField(blank=True, max_length=20, verbose_name='at most')),
                        ('pattern', models.CharField(blank=True, help_text='For texts, e.g. [A-Z]{2}\\d{6}: two capitals, then six digits.', max_length=200, verbose_name='pattern')),
                        ('default', models.JSONField(blank=True, null=True, verbose_name='default')),
                        ('is_required', models.BooleanField(default=False, verbose_name='required')),
                        ('seen_by', models.JSONField(blank=True, default=list, help_text='None chosen means everybody who sees the record.', verbose_name='seen by')),
                        ('edited_by', models.JSONField(blank=True, default=list, help_text='None chosen means everybody who may change the record.', verbose_name='filled by')),
                        ('merchant_may', models.CharField(choices=[('none', 'not see it'), ('read', 'see it'), ('write', 'see and fill it')], default='write', help_text='By API, in files, and on its own pages.', max_length=5, verbose_name='the merchant may')),
                        ('customer_sees', models.BooleanField(default=False, help_text='On the tracking page; for orders, lines and parcels.', verbose_name='shown to customers')),
                        ('is_personal', models.BooleanField(db_default=False, default=False, help_text='Erased with the receiver; for orders, lines and parcels.', verbose_name='personal')),
                        ('in_list', models.BooleanField(default=False, verbose_name='column of the list')),
                        ('in_filter', models.BooleanField(default=True, verbose_name='filter of the list')),
                        ('position', models.PositiveIntegerField(default=100, verbose_name='position')),
                        ('archived_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='removed at')),
                        ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                    ],
                    options={
                        'verbose_name': 'custom field',
                        'verbose_name_plural': 'custom fields',
                        'ordering': ('target', 'position', 'pk'),
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'target', 'code'), name='fields_field_code'), models.UniqueConstraint(condition=models.Q(('merchant__isnull', True)), fields=('target', 'code'), name='fields_field_code_all')],
                    },
                ),
            ],
        ),
    ]
