"""All tables as they came to be in 2 steps: a new database makes them once."""

import django.core.validators
import django.db.models.deletion
import orderhub.events.operations
import simple_history.models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('risk', '0001_initial'), ('risk', '0002_observed')]

    initial = True

    dependencies = [
        ('access', '0001_start'),
        ('access', '__first__'),
        ('orders', '0001_start'),
    ]

    operations = [
        orderhub.events.operations.AllTables(
            tables=[
                migrations.CreateModel(
                    name='Baseline',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to='orders.channel')),
                        ('p90', models.DecimalField(decimal_places=2, max_digits=14)),
                        ('p95', models.DecimalField(decimal_places=2, max_digits=14)),
                        ('orders', models.PositiveIntegerField()),
                        ('computed_at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='HistoricalRiskPolicy',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('review_from', models.PositiveSmallIntegerField(default=40, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='review from')),
                        ('hold_from', models.PositiveSmallIntegerField(default=70, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='hold from')),
                        ('group_cap', models.PositiveSmallIntegerField(default=45, help_text='So that one story told by several signals does not hold an order by itself.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='most points of one group')),
                        ('review_minutes', models.PositiveIntegerField(default=120, verbose_name='minutes for a review')),
                        ('on_timeout', models.CharField(choices=[('keep', 'keep it held and tell somebody'), ('release', 'release it')], default='keep', max_length=8, verbose_name='review not done in time')),
                        ('on_fault', models.CharField(choices=[('hold', 'hold from an amount on'), ('pass', 'let pass')], default='hold', max_length=8, verbose_name='order cannot be scored')),
                        ('fault_amount', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='hold unscored orders from')),
                        ('four_eyes_from', models.DecimalField(blank=True, decimal_places=2, help_text='Empty: one person is enough.', max_digits=14, null=True, verbose_name='two people release from')),
                        ('holdout_percent', models.DecimalField(decimal_places=2, default=Decimal('0'), help_text='Of orders in the review band, at random; 0 is off.', max_digits=4, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10)], verbose_name='share let through to learn, in percent')),
                        ('holdout_below', models.DecimalField(decimal_places=2, default=Decimal('200'), max_digits=14, verbose_name='only orders below')),
                        ('label_days', models.PositiveSmallIntegerField(default=30, help_text='Reports look at older orders only.', verbose_name='days until the truth is known')),
                        ('promoted_skus', models.JSONField(blank=True, default=list, verbose_name='promoted SKUs')),
                        ('forwarder_words', models.JSONField(blank=True, default=list, verbose_name="words of forwarders' addresses")),
                        ('disposable_domains', models.JSONField(blank=True, default=list, verbose_name='throw-away mail domains')),
                        ('safe_flags', models.JSONField(blank=True, default=list, verbose_name='channel flags that mean no risk')),
                        ('merchant', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='access.merchant', verbose_name='merchant')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical risk policy',
                        'verbose_name_plural': 'historical risk policies',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='Key',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='merchant')),
                        ('kind', models.CharField(choices=[('account', 'account'), ('phone', 'phone'), ('device', 'device'), ('address', 'address'), ('ip', 'IP address')], max_length=8, verbose_name='kind')),
                        ('digest', models.CharField(max_length=32, verbose_name='fingerprint')),
                        ('hint', models.CharField(blank=True, help_text='A few signs, never the whole.', max_length=20, verbose_name='hint')),
                        ('listed', models.CharField(blank=True, choices=[('', 'not listed'), ('block', 'block list'), ('trust', 'trust list')], default='', max_length=5, verbose_name='list')),
                        ('listed_reason', models.CharField(blank=True, default='', max_length=200, verbose_name='reason')),
                        ('listed_by', models.CharField(blank=True, default='', max_length=80, verbose_name='by')),
                        ('listed_at', models.DateTimeField(null=True, verbose_name='since')),
                        ('last_at', models.DateTimeField(verbose_name='last seen')),
                    ],
                    options={
                        'verbose_name': 'shared key',
                        'verbose_name_plural': 'shared keys',
                        'indexes': [models.Index(condition=models.Q(('listed', ''), _negated=True), fields=['merchant', 'listed'], name='risk_key_listed'), models.Index(fields=['last_at'], name='risk_key_last')],
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'kind', 'digest'), name='risk_key_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Label',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='risk_labels', to='orders.order', verbose_name='order')),
                        ('kind', models.CharField(choices=[('fraud', 'confirmed fraud'), ('refused', 'refused at the door'), ('chargeback', 'chargeback'), ('reviewed_bad', 'cancelled by review'), ('good', 'delivered without claim')], max_length=12, verbose_name='label')),
                        ('source', models.CharField(max_length=80, verbose_name='source')),
                        ('note', models.CharField(blank=True, default='', max_length=200, verbose_name='note')),
                        ('labeled_at', models.DateTimeField(verbose_name='known since')),
                    ],
                    options={
                        'verbose_name': 'risk label',
                        'verbose_name_plural': 'risk labels',
                        'constraints': [models.UniqueConstraint(fields=('order', 'kind'), name='risk_label_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Link',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='risk.key')),
                        ('what', models.CharField(max_length=8)),
                        ('member', models.CharField(max_length=32)),
                        ('first_at', models.DateTimeField()),
                        ('last_at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('key', 'what', 'member'), name='risk_link_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Observed',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='access.merchant')),
                        ('digest', models.CharField(max_length=32)),
                        ('at', models.DateTimeField(db_index=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'digest'), name='risk_observed_once')],
                    },
                ),
                migrations.CreateModel(
                    name='OrderKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='risk_keys', to='orders.order')),
                        ('key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orders', to='risk.key')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('order', 'key'), name='risk_order_key_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Review',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='risk_reviews', to='orders.order', verbose_name='order')),
                        ('action', models.CharField(choices=[('release', 'release'), ('cancel', 'cancel the order'), ('block', 'cancel and put on the block list'), ('trust', 'release and put on the trust list'), ('ask', 'ask the customer'), ('undo', 'undo')], max_length=8, verbose_name='action')),
                        ('reason', models.CharField(max_length=300, verbose_name='reason')),
                        ('actor', models.CharField(max_length=80, verbose_name='by')),
                        ('is_final', models.BooleanField(default=True, verbose_name='took effect')),
                        ('points', models.PositiveSmallIntegerField(verbose_name='score')),
                        ('waited_seconds', models.PositiveIntegerField(verbose_name='seconds waited')),
                        ('decided_at', models.DateTimeField(verbose_name='decided at')),
                    ],
                    options={
                        'verbose_name': 'review decision',
                        'verbose_name_plural': 'review decisions',
                    },
                ),
                migrations.CreateModel(
                    name='RiskPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('review_from', models.PositiveSmallIntegerField(default=40, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='review from')),
                        ('hold_from', models.PositiveSmallIntegerField(default=70, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='hold from')),
                        ('group_cap', models.PositiveSmallIntegerField(default=45, help_text='So that one story told by several signals does not hold an order by itself.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='most points of one group')),
                        ('review_minutes', models.PositiveIntegerField(default=120, verbose_name='minutes for a review')),
                        ('on_timeout', models.CharField(choices=[('keep', 'keep it held and tell somebody'), ('release', 'release it')], default='keep', max_length=8, verbose_name='review not done in time')),
                        ('on_fault', models.CharField(choices=[('hold', 'hold from an amount on'), ('pass', 'let pass')], default='hold', max_length=8, verbose_name='order cannot be scored')),
                        ('fault_amount', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='hold unscored orders from')),
                        ('four_eyes_from', models.DecimalField(blank=True, decimal_places=2, help_text='Empty: one person is enough.', max_digits=14, null=True, verbose_name='two people release from')),
                        ('holdout_percent', models.DecimalField(decimal_places=2, default=Decimal('0'), help_text='Of orders in the review band, at random; 0 is off.', max_digits=4, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10)], verbose_name='share let through to learn, in percent')),
                        ('holdout_below', models.DecimalField(decimal_places=2, default=Decimal('200'), max_digits=14, verbose_name='only orders below')),
                        ('label_days', models.PositiveSmallIntegerField(default=30, help_text='Reports look at older orders only.', verbose_name='days until the truth is known')),
                        ('promoted_skus', models.JSONField(blank=True, default=list, verbose_name='promoted SKUs')),
                        ('forwarder_words', models.JSONField(blank=True, default=list, verbose_name="words of forwarders' addresses")),
                        ('disposable_domains', models.JSONField(blank=True, default=list, verbose_name='throw-away mail domains')),
                        ('safe_flags', models.JSONField(blank=True, default=list, verbose_name='channel flags that mean no risk')),
                    ],
                    options={
                        'verbose_name': 'risk policy',
                        'verbose_name_plural': 'risk policies',
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalRiskSignal',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, verbose_name='code')),
                        ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                        ('group', models.CharField(max_length=12, verbose_name='group')),
                        ('window_hours', models.PositiveSmallIntegerField(default=0, help_text='0 for facts of the order itself.', verbose_name='window in hours')),
                        ('condition', models.JSONField(verbose_name='condition')),
                        ('points', models.SmallIntegerField(default=0, verbose_name='points')),
                        ('holds', models.BooleanField(default=False, verbose_name='holds at once')),
                        ('mode', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow: counted, without effect'), ('live', 'live')], default='shadow', max_length=6, verbose_name='mode')),
                        ('mode_since', models.DateTimeField(editable=False, null=True, verbose_name='in this mode since')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                        ('says', models.CharField(blank=True, max_length=160, verbose_name='sentence')),
                        ('says_en', models.CharField(blank=True, max_length=160, verbose_name='English sentence')),
                        ('policy', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='risk.riskpolicy', verbose_name='risk policy')),
                        ('history_id', models.AutoField(primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_change_reason', models.CharField(max_length=100, null=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical risk signal',
                        'verbose_name_plural': 'historical risk signals',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='RiskPolicyVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='risk.riskpolicy', verbose_name='risk policy')),
                        ('number', models.PositiveIntegerField(verbose_name='version')),
                        ('content', models.JSONField(verbose_name='content')),
                        ('published_at', models.DateTimeField(verbose_name='published at')),
                        ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='published by')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
                    ],
                    options={
                        'verbose_name': 'version of a risk policy',
                        'verbose_name_plural': 'versions of risk policies',
                        'constraints': [models.UniqueConstraint(fields=('policy', 'number'), name='risk_version_number')],
                    },
                ),
                migrations.CreateModel(
                    name='RiskSignal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='signals', to='risk.riskpolicy', verbose_name='risk policy')),
                        ('code', models.CharField(max_length=40, verbose_name='code')),
                        ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                        ('group', models.CharField(max_length=12, verbose_name='group')),
                        ('window_hours', models.PositiveSmallIntegerField(default=0, help_text='0 for facts of the order itself.', verbose_name='window in hours')),
                        ('condition', models.JSONField(verbose_name='condition')),
                        ('points', models.SmallIntegerField(default=0, verbose_name='points')),
                        ('holds', models.BooleanField(default=False, verbose_name='holds at once')),
                        ('mode', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow: counted, without effect'), ('live', 'live')], default='shadow', max_length=6, verbose_name='mode')),
                        ('mode_since', models.DateTimeField(editable=False, null=True, verbose_name='in this mode since')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                        ('says', models.CharField(blank=True, max_length=160, verbose_name='sentence')),
                        ('says_en', models.CharField(blank=True, max_length=160, verbose_name='English sentence')),
                    ],
                    options={
                        'verbose_name': 'risk signal',
                        'verbose_name_plural': 'risk signals',
                        'constraints': [models.UniqueConstraint(fields=('policy', 'code'), name='risk_signal_code')],
                    },
                ),
                migrations.CreateModel(
                    name='Tally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='risk.key')),
                        ('what', models.CharField(max_length=14)),
                        ('hour', models.DateTimeField()),
                        ('count', models.PositiveIntegerField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('key', 'what', 'hour'), name='risk_tally_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Assessment',
                    fields=[
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='risk', serialize=False, to='orders.order', verbose_name='order')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='access.merchant', verbose_name='merchant')),
                        ('policy_number', models.PositiveIntegerField(verbose_name='policy version')),
                        ('points', models.PositiveSmallIntegerField(verbose_name='score')),
                        ('band', models.CharField(choices=[('pass', 'pass'), ('review', 'review'), ('hold', 'hold')], max_length=6, verbose_name='band')),
                        ('fired', models.JSONField(default=list, verbose_name='reasons')),
                        ('shadow_points', models.PositiveSmallIntegerField(verbose_name='score with shadow signals')),
                        ('shadow_band', models.CharField(choices=[('pass', 'pass'), ('review', 'review'), ('hold', 'hold')], max_length=6, verbose_name='band with shadow signals')),
                        ('shadow', models.JSONField(default=list, verbose_name='shadow signals')),
                        ('is_shadow', models.BooleanField(default=False, verbose_name='shadow only')),
                        ('is_holdout', models.BooleanField(default=False, verbose_name='let through to learn')),
                        ('fault', models.CharField(blank=True, default='', max_length=200, verbose_name='fault')),
                        ('seen', models.JSONField(default=list, verbose_name='reasons a person has seen')),
                        ('state', models.CharField(blank=True, choices=[('', 'nothing to do'), ('open', 'waiting for review'), ('second', 'waiting for a second person'), ('asked', 'customer asked'), ('done', 'decided')], default='', max_length=6, verbose_name='state')),
                        ('due_at', models.DateTimeField(null=True, verbose_name='review until')),
                        ('escalated_at', models.DateTimeField(null=True, verbose_name='escalated at')),
                        ('assessed_at', models.DateTimeField(verbose_name='scored at')),
                        ('delivered_at', models.DateTimeField(null=True, verbose_name='delivered at')),
                        ('refused_at', models.DateTimeField(null=True, verbose_name='refused at')),
                    ],
                    options={
                        'verbose_name': 'risk review',
                        'verbose_name_plural': 'risk reviews',
                        'indexes': [models.Index(condition=models.Q(('state', ''), _negated=True), fields=['state', 'due_at'], name='risk_assessment_queue'), models.Index(fields=['merchant', 'assessed_at'], name='risk_assessment_report')],
                    },
                ),
            ],
        ),
    ]
