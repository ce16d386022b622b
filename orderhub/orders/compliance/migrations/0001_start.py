"""All tables."""

import django.core.validators
import django.db.models.deletion
import orderhub.events.operations
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('compliance', '0001_initial')]

    initial = True

    dependencies = [
        ('access', '0001_start'),
        ('inventory', '0001_start'),
        ('orders', '0001_start'),
    ]

    operations = [
        orderhub.events.operations.AllTables(
            tables=[
                migrations.CreateModel(
                    name='BuyerIdentity',
                    fields=[
                        ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='identity', serialize=False, to='orders.person')),
                        ('sealed', models.TextField()),
                        ('masked', models.CharField(max_length=24, verbose_name='identity number')),
                        ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                        ('given_at', models.DateTimeField(verbose_name='given at')),
                    ],
                    options={
                        'verbose_name': 'identity number',
                        'verbose_name_plural': 'identity numbers',
                    },
                ),
                migrations.CreateModel(
                    name='CustomsGoods',
                    fields=[
                        ('sku', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='customs', serialize=False, to='inventory.sku', verbose_name='SKU')),
                        ('made_in', models.CharField(blank=True, help_text='Country code.', max_length=2, verbose_name='made in')),
                        ('traits', models.JSONField(blank=True, default=list, help_text='e.g. ["UN3481", "food", "cosmetics", "sugar"]', verbose_name='kinds of goods')),
                        ('milliliters', models.PositiveIntegerField(default=0, verbose_name='milliliters per piece')),
                    ],
                    options={
                        'verbose_name': 'customs data of an SKU',
                        'verbose_name_plural': 'customs data of SKUs',
                    },
                ),
                migrations.CreateModel(
                    name='GoodsList',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120, unique=True, verbose_name='name')),
                        ('codes', models.JSONField(default=list, verbose_name='tariff codes')),
                        ('source', models.CharField(blank=True, max_length=300, verbose_name='source')),
                        ('loaded_at', models.DateTimeField(auto_now=True, verbose_name='loaded at')),
                    ],
                    options={
                        'verbose_name': 'list of goods',
                        'verbose_name_plural': 'lists of goods',
                    },
                ),
                migrations.CreateModel(
                    name='PartyList',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, unique=True, verbose_name='list')),
                        ('loaded_on', models.DateField(verbose_name='of the day')),
                        ('loaded_by', models.CharField(blank=True, max_length=80, verbose_name='loaded by')),
                        ('entries', models.PositiveIntegerField(verbose_name='entries')),
                        ('added', models.PositiveIntegerField(default=0, verbose_name='new')),
                        ('changed', models.PositiveIntegerField(default=0, verbose_name='changed')),
                        ('removed', models.PositiveIntegerField(default=0, verbose_name='gone')),
                    ],
                    options={
                        'verbose_name': 'denied-party list',
                        'verbose_name_plural': 'denied-party lists',
                    },
                ),
                migrations.CreateModel(
                    name='ComplianceRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('rule', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9-]*$')], verbose_name='rule')),
                        ('version', models.PositiveIntegerField(default=1, verbose_name='version')),
                        ('origin', models.CharField(default='*', help_text='Country, EU or * for any.', max_length=2, verbose_name='from')),
                        ('destination', models.CharField(default='*', help_text='Country, EU or * for any.', max_length=2, verbose_name='to')),
                        ('kind', models.CharField(choices=[('contents', 'contents'), ('hs_code', 'hs_code'), ('prohibited_goods', 'prohibited_goods'), ('restricted_goods', 'restricted_goods'), ('allow_list', 'allow_list'), ('value_limit', 'value_limit'), ('value_exception', 'value_exception'), ('value_limit_year', 'value_limit_year'), ('quantity_limit_year', 'quantity_limit_year'), ('value_regime', 'value_regime'), ('identity', 'identity'), ('screening', 'screening'), ('tax_number', 'tax_number'), ('tax', 'tax'), ('duty_per_item_kind', 'duty_per_item_kind'), ('surcharge', 'surcharge'), ('documents', 'documents')], max_length=24, verbose_name='kind')),
                        ('params', models.JSONField(blank=True, default=dict, verbose_name='parameters')),
                        ('valid_from', models.DateField(verbose_name='first day')),
                        ('valid_to', models.DateField(blank=True, null=True, verbose_name='not any more from')),
                        ('status', models.CharField(choices=[('in_force', 'in force'), ('future', 'not yet in force'), ('verify', 'to be confirmed'), ('ended', 'ended')], default='verify', max_length=8, verbose_name='status')),
                        ('source', models.CharField(max_length=300, verbose_name='source')),
                        ('source_url', models.CharField(blank=True, max_length=300, validators=[django.core.validators.URLValidator(['https', 'http'])], verbose_name='link')),
                        ('confidence', models.CharField(blank=True, max_length=60, verbose_name='confidence')),
                        ('doubt', models.CharField(blank=True, max_length=300, verbose_name='doubt')),
                        ('created_by', models.CharField(blank=True, editable=False, max_length=80, verbose_name='entered by')),
                        ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='entered at')),
                        ('activated_by', models.CharField(blank=True, editable=False, max_length=80, verbose_name='activated by')),
                        ('activated_at', models.DateTimeField(editable=False, null=True, verbose_name='activated at')),
                        ('confirmed_by', models.CharField(blank=True, editable=False, max_length=80, verbose_name='confirmed by')),
                        ('confirmed_at', models.DateTimeField(editable=False, null=True, verbose_name='confirmed at')),
                        ('confirmed_source', models.CharField(blank=True, editable=False, max_length=300, verbose_name='confirmed from')),
                    ],
                    options={
                        'verbose_name': 'compliance rule',
                        'verbose_name_plural': 'compliance rules',
                        'permissions': [('activate_compliancerule', 'Can activate and confirm compliance rules')],
                        'constraints': [models.UniqueConstraint(fields=('rule', 'version'), name='compliance_rule_version'), models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='compliance_rule_days')],
                    },
                ),
                migrations.CreateModel(
                    name='ExchangeRate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('on', models.DateField(verbose_name='day')),
                        ('in_cny', models.DecimalField(decimal_places=6, max_digits=14, verbose_name='in CNY')),
                        ('source', models.CharField(blank=True, max_length=120, verbose_name='source')),
                    ],
                    options={
                        'verbose_name': 'exchange rate',
                        'verbose_name_plural': 'exchange rates',
                        'constraints': [models.UniqueConstraint(fields=('currency', 'on'), name='compliance_rate_once'), models.CheckConstraint(condition=models.Q(('in_cny__gt', 0)), name='compliance_rate_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='Party',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parties', to='compliance.partylist', verbose_name='list')),
                        ('number', models.CharField(max_length=60, verbose_name='entry')),
                        ('name', models.CharField(max_length=400, verbose_name='name')),
                        ('kind', models.CharField(blank=True, max_length=40, verbose_name='kind')),
                        ('program', models.CharField(blank=True, max_length=200, verbose_name='program')),
                        ('countries', models.JSONField(default=list, verbose_name='countries')),
                        ('fingerprint', models.CharField(max_length=64)),
                    ],
                    options={
                        'verbose_name': 'listed party',
                        'verbose_name_plural': 'listed parties',
                        'constraints': [models.UniqueConstraint(fields=('source_list', 'number'), name='compliance_party_once')],
                    },
                ),
                migrations.CreateModel(
                    name='PartyName',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('party', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='names', to='compliance.party', verbose_name='listed party')),
                        ('text', models.CharField(max_length=400, verbose_name='name')),
                        ('merchant', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='own alias of')),
                    ],
                    options={
                        'verbose_name': 'name of a listed party',
                        'verbose_name_plural': 'names of listed parties',
                    },
                ),
                migrations.CreateModel(
                    name='PartyKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='compliance.partyname')),
                        ('key', models.CharField(max_length=8)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['key'], name='compliance_party_key')],
                    },
                ),
                migrations.CreateModel(
                    name='YearUsage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant')),
                        ('buyer', models.CharField(max_length=32)),
                        ('year', models.PositiveSmallIntegerField()),
                        ('measure', models.CharField(max_length=12)),
                        ('amount', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'buyer', 'year', 'measure'), name='compliance_usage_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Clearance',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='merchant')),
                        ('name_digest', models.CharField(max_length=64)),
                        ('list_code', models.CharField(max_length=40, verbose_name='list')),
                        ('number', models.CharField(max_length=60, verbose_name='entry')),
                        ('fingerprint', models.CharField(max_length=64)),
                        ('reason', models.CharField(max_length=300, verbose_name='reason')),
                        ('actor', models.CharField(max_length=80, verbose_name='by')),
                        ('decided_at', models.DateTimeField(verbose_name='decided at')),
                    ],
                    options={
                        'verbose_name': 'cleared name',
                        'verbose_name_plural': 'cleared names',
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'name_digest', 'list_code', 'number'), name='compliance_cleared_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ComplianceCheck',
                    fields=[
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='compliance', serialize=False, to='orders.order', verbose_name='order')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='merchant')),
                        ('lane', models.CharField(max_length=5, verbose_name='lane')),
                        ('outcome', models.CharField(choices=[('pass', 'pass'), ('note', 'pass with notes'), ('hold', 'something is missing'), ('block', 'may not be sent')], max_length=5, verbose_name='outcome')),
                        ('findings', models.JSONField(default=list, verbose_name='findings')),
                        ('accepted', models.JSONField(default=dict, verbose_name='accepted findings')),
                        ('counted', models.JSONField(default=dict, verbose_name='counted for the year')),
                        ('rates', models.JSONField(default=dict, verbose_name='exchange rates used')),
                        ('checked_at', models.DateTimeField(verbose_name='checked at')),
                    ],
                    options={
                        'verbose_name': 'compliance check',
                        'verbose_name_plural': 'compliance checks',
                        'indexes': [models.Index(fields=['outcome', 'checked_at'], name='compliance_check_outcome'), models.Index(fields=['checked_at'], name='compliance_check_time')],
                    },
                ),
                migrations.CreateModel(
                    name='Paper',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='merchant')),
                        ('sku', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='inventory.sku', verbose_name='SKU')),
                        ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='orders.order', verbose_name='order')),
                        ('kind', models.CharField(max_length=60, verbose_name='document')),
                        ('reference', models.CharField(blank=True, max_length=120, verbose_name='number')),
                        ('valid_from', models.DateField(blank=True, null=True, verbose_name='first day')),
                        ('valid_to', models.DateField(blank=True, null=True, verbose_name='not any more from')),
                    ],
                    options={
                        'verbose_name': 'compliance document',
                        'verbose_name_plural': 'compliance documents',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('order__isnull', True), ('sku__isnull', False)), models.Q(('order__isnull', False), ('sku__isnull', True)), _connector='OR'), name='compliance_paper_of_one')],
                    },
                ),
            ],
        ),
    ]
