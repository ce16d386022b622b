"""All tables as they came to be in 13 steps: a new database makes them once."""

import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import orderhub.events.operations
import uuid
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('orders', '0001_initial'), ('orders', '0002_person_phone'), ('orders', '0003_kin_and_addresses'), ('orders', '0004_changed_orders'), ('orders', '0005_received'), ('orders', '0006_promotions'), ('orders', '0007_screening'), ('orders', '0008_custom_fields'), ('orders', '0010_drawn_flows'), ('orders', '0011_flow_index'), ('orders', '0012_address_decisions'), ('orders', '0013_aftercare'), ('orders', '0014_receivers_apart')]

    initial = True

    dependencies = [
        ('access', '0001_start'),
        ('inventory', '0001_start'),
        ('rules', '0001_start'),
    ]

    operations = [
        orderhub.events.operations.AllTables(
            tables=[
                migrations.CreateModel(
                    name='Order',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('channel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='orders.channel', verbose_name='channel')),
                        ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('share_nonce', models.PositiveIntegerField(default=0, editable=False)),
                        ('share_hash', models.CharField(editable=False, max_length=64, unique=True)),
                        ('external_id', models.CharField(max_length=100, verbose_name='channel order number')),
                        ('source', models.CharField(blank=True, help_text='api, or import:<id>', max_length=64, verbose_name='source')),
                        ('content_hash', models.CharField(editable=False, max_length=64)),
                        ('placed_at', models.DateTimeField(verbose_name='placed at')),
                        ('received_at', models.DateTimeField(verbose_name='received at')),
                        ('payment', models.CharField(choices=[('unpaid', 'unpaid'), ('paid', 'paid'), ('refunded', 'refunded')], default='unpaid', max_length=10, verbose_name='payment')),
                        ('paid_at', models.DateTimeField(blank=True, null=True, verbose_name='paid at')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('goods_total', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='goods total')),
                        ('discount_total', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='discount')),
                        ('total', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='total')),
                        ('country', models.CharField(max_length=2, verbose_name='country')),
                        ('province', models.CharField(max_length=60, verbose_name='province')),
                        ('city', models.CharField(max_length=80, verbose_name='city')),
                        ('district', models.CharField(blank=True, max_length=80, verbose_name='district')),
                        ('latitude', models.DecimalField(decimal_places=5, max_digits=8, verbose_name='latitude')),
                        ('longitude', models.DecimalField(decimal_places=5, max_digits=8, verbose_name='longitude')),
                        ('is_remote', models.BooleanField(default=False, verbose_name='remote region')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='orders.person', verbose_name='receiver')),
                        ('service', models.CharField(default='standard', max_length=20, verbose_name='service')),
                        ('green', models.BooleanField(default=False, verbose_name='green delivery')),
                        ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                        ('extra', models.JSONField(blank=True, default=dict, verbose_name='custom fields')),
                        ('custom', models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields')),
                        ('rule_versions', models.JSONField(blank=True, default=dict, verbose_name='rule versions used')),
                        ('promised_at', models.DateTimeField(blank=True, null=True, verbose_name='promised for')),
                        ('stage', django_fsm.FSMField(choices=[('received', 'received'), ('reviewing', 'in review'), ('routed', 'routed'), ('backordered', 'waiting for stock'), ('released', 'released to warehouse'), ('partially_shipped', 'partially shipped'), ('shipped', 'shipped'), ('partially_delivered', 'partially delivered'), ('delivered', 'delivered'), ('completed', 'completed'), ('partially_returned', 'partially returned'), ('returned', 'returned'), ('cancelled', 'cancelled'), ('merged', 'merged into another order')], default='received', max_length=20, protected=True, verbose_name='stage')),
                        ('step', models.CharField(blank=True, max_length=40, verbose_name='next step')),
                        ('step_state', models.CharField(choices=[('ready', 'ready'), ('waiting', 'waiting'), ('done', 'done')], default='ready', max_length=8, verbose_name='step state')),
                        ('waiting_for', models.CharField(blank=True, max_length=40, verbose_name='waiting for')),
                        ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='routing attempts')),
                        ('flow_version', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rules.flowversion', verbose_name='flow version')),
                        ('flow_node', models.CharField(blank=True, db_default='', default='', max_length=24, verbose_name='place in the flow')),
                        ('flow_marks', models.JSONField(blank=True, db_default=[], default=list, editable=False)),
                        ('tags', models.JSONField(blank=True, db_default=[], default=list, verbose_name='tags')),
                        ('split_from', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='orders.order', verbose_name='split from')),
                        ('merged_into', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='orders.order', verbose_name='merged into')),
                        ('only_at', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.warehouse', verbose_name='only from')),
                        ('money_fixed', models.BooleanField(db_default=False, default=False, editable=False)),
                        ('version', models.PositiveIntegerField(default=1, verbose_name='version')),
                        ('updated_at', models.DateTimeField(verbose_name='updated at')),
                    ],
                    options={
                        'verbose_name': 'order',
                        'verbose_name_plural': 'orders',
                        'indexes': [models.Index(fields=['merchant', '-id'], name='orders_order_list'), models.Index(fields=['merchant', 'external_id'], name='orders_order_external'), models.Index(fields=['merchant', 'source', 'id'], name='orders_order_source'), models.Index(fields=['merchant', 'updated_at', 'id'], name='orders_order_changed'), models.Index(fields=['stage', 'id'], name='orders_order_stage'), models.Index(fields=['received_at'], name='orders_order_received'), models.Index(condition=models.Q(('waiting_for', ''), _negated=True), fields=['waiting_for', 'id'], name='orders_order_waiting'), models.Index(condition=models.Q(('flow_version__isnull', False), models.Q(('step_state', 'done'), _negated=True)), fields=['flow_version', 'id'], name='orders_order_flow'), models.Index(condition=models.Q(('split_from__isnull', False)), fields=['split_from'], name='orders_order_parts'), models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='orders_order_merged')],
                        'constraints': [models.UniqueConstraint(fields=('channel', 'external_id'), name='orders_order_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Person',
                    fields=[
                        ('token', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant')),
                        ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                        ('phone', models.CharField(blank=True, max_length=60, verbose_name='phone')),
                        ('email', models.CharField(blank=True, max_length=254, verbose_name='e-mail')),
                        ('address', models.CharField(blank=True, max_length=500, verbose_name='address')),
                        ('postcode', models.CharField(blank=True, max_length=20, verbose_name='postcode')),
                        ('erased_at', models.DateTimeField(blank=True, null=True, verbose_name='erased at')),
                    ],
                    options={
                        'verbose_name': 'person',
                        'verbose_name_plural': 'persons',
                        'indexes': [models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['phone'], name='orders_person_phone')],
                    },
                ),
                migrations.CreateModel(
                    name='Channel',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('code', models.CharField(max_length=40, verbose_name='code')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                        ('kind', models.CharField(default='api', max_length=40, verbose_name='kind')),
                        ('time_zone', models.CharField(default='Asia/Shanghai', max_length=40, verbose_name='time zone')),
                        ('merge_window_seconds', models.PositiveIntegerField(default=0, help_text='How long new orders wait so that edits land first.', verbose_name='merge window in seconds')),
                        ('risk_mode', models.CharField(choices=[('off', 'off'), ('shadow', 'shadow: counted, without effect'), ('live', 'live')], db_default='off', default='off', max_length=6, verbose_name='risk check')),
                        ('ships_from', models.CharField(db_default='CN', default='CN', help_text='Orders to any other country go through the cross-border checks.', max_length=2, verbose_name='ships from country')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                    ],
                    options={
                        'verbose_name': 'channel',
                        'verbose_name_plural': 'channels',
                        'constraints': [models.UniqueConstraint(fields=('merchant', 'code'), name='orders_channel_code')],
                    },
                ),
                migrations.CreateModel(
                    name='Original',
                    fields=[
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='original', serialize=False, to='orders.order')),
                        ('payload', models.JSONField()),
                    ],
                    options={
                        'verbose_name': 'channel document',
                        'verbose_name_plural': 'channel documents',
                    },
                ),
                migrations.CreateModel(
                    name='Pricing',
                    fields=[
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pricing', serialize=False, to='orders.order')),
                        ('versions', models.JSONField(default=dict, verbose_name='rule versions used')),
                        ('explanation', models.JSONField(default=dict, verbose_name='explanation')),
                        ('gifts', models.JSONField(default=list, verbose_name='gifts')),
                        ('free_shipping', models.BooleanField(default=False, verbose_name='free shipping')),
                        ('priced_at', models.DateTimeField(verbose_name='priced at')),
                    ],
                    options={
                        'verbose_name': 'pricing',
                        'verbose_name_plural': 'pricings',
                    },
                ),
                migrations.CreateModel(
                    name='Hold',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holds', to='orders.order', verbose_name='order')),
                        ('reason', models.CharField(choices=[('awaiting_payment', 'awaiting payment'), ('risk', 'risk check'), ('address_change', 'address change'), ('address_invalid', 'address cannot be served'), ('stock', 'stock'), ('compliance', 'cross-border check'), ('merge_window', 'merge window'), ('customer', 'asked by the customer'), ('flow', 'wait in the order flow'), ('manual', 'put on hold by staff')], max_length=20, verbose_name='reason')),
                        ('scope', models.CharField(choices=[('order', 'whole order'), ('line', 'one line'), ('fulfillment', 'one fulfillment order')], default='order', max_length=12, verbose_name='scope')),
                        ('scope_ref', models.CharField(blank=True, max_length=40, verbose_name='scope reference')),
                        ('detail', models.CharField(blank=True, max_length=300, verbose_name='detail')),
                        ('owner', models.CharField(blank=True, max_length=80, verbose_name='owner')),
                        ('until', models.DateTimeField(blank=True, null=True, verbose_name='until')),
                        ('placed_at', models.DateTimeField(verbose_name='placed at')),
                        ('placed_by', models.CharField(blank=True, max_length=80, verbose_name='placed by')),
                        ('released_at', models.DateTimeField(blank=True, null=True, verbose_name='released at')),
                        ('released_by', models.CharField(blank=True, max_length=80, verbose_name='released by')),
                        ('release_note', models.CharField(blank=True, max_length=300, verbose_name='release note')),
                    ],
                    options={
                        'verbose_name': 'hold',
                        'verbose_name_plural': 'holds',
                        'indexes': [models.Index(condition=models.Q(('released_at__isnull', True)), fields=['until'], name='orders_hold_until')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('released_at__isnull', True)), fields=('order', 'reason', 'scope', 'scope_ref'), name='orders_hold_active_once')],
                    },
                ),
                migrations.CreateModel(
                    name='FollowUp',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='orders.order', verbose_name='order')),
                        ('new_order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='follows_up', to='orders.order', verbose_name='new order')),
                        ('sort', models.CharField(choices=[('exchange', 'exchange'), ('resend', 'resend')], max_length=10, verbose_name='kind')),
                        ('reason', models.CharField(choices=[('lost', 'lost on the way'), ('damaged', 'damaged'), ('missing', 'missing from the parcel'), ('wrong', 'wrong article sent'), ('choice', 'customer wants another one')], max_length=10, verbose_name='reason')),
                        ('detail', models.CharField(blank=True, max_length=300, verbose_name='detail')),
                        ('units', models.JSONField(default=dict, help_text='By line of the first order', verbose_name='units replaced')),
                        ('price', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='price of the new goods')),
                        ('credit', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='credit for the old goods')),
                        ('pays', models.CharField(choices=[('nobody', 'nothing to pay'), ('customer', 'customer pays the difference'), ('merchant', 'difference goes back to the customer'), ('waived', 'difference is waived')], max_length=10, verbose_name='who pays the difference')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('return_expected', models.BooleanField(default=False, verbose_name='goods are to come back')),
                        ('claim_against', models.CharField(blank=True, max_length=40, verbose_name='claim against carrier')),
                        ('claim_parcel', models.CharField(blank=True, max_length=80, verbose_name='parcel of the claim')),
                        ('requested_at', models.DateTimeField(verbose_name='requested at')),
                        ('actor', models.CharField(blank=True, max_length=80, verbose_name='entered by')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                    ],
                    options={
                        'verbose_name': 'exchange or resend',
                        'verbose_name_plural': 'exchanges and resends',
                    },
                ),
                migrations.CreateModel(
                    name='Cancellation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cancellations', to='orders.order', verbose_name='order')),
                        ('state', models.CharField(choices=[('asking', 'warehouse asked'), ('applied', 'applied'), ('partly', 'applied to what came back'), ('refused', 'too late'), ('restored', 'taken back')], default='asking', max_length=10, verbose_name='state')),
                        ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                        ('wanted', models.JSONField(default=dict, verbose_name='units')),
                        ('done', models.JSONField(default=dict, verbose_name='units cancelled')),
                        ('asked', models.JSONField(blank=True, default=list, verbose_name='fulfillment orders asked')),
                        ('requested_at', models.DateTimeField(verbose_name='requested at')),
                        ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled at')),
                        ('actor', models.CharField(blank=True, max_length=80, verbose_name='entered by')),
                    ],
                    options={
                        'verbose_name': 'partial cancellation',
                        'verbose_name_plural': 'partial cancellations',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'asking')), fields=('order',), name='orders_cancellation_one_open')],
                    },
                ),
                migrations.CreateModel(
                    name='OrderLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='orders.order', verbose_name='order')),
                        ('position', models.PositiveSmallIntegerField(verbose_name='position')),
                        ('origin', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines_elsewhere', to='orders.order', verbose_name='sold with order')),
                        ('sku', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='inventory.sku', verbose_name='SKU')),
                        ('name', models.CharField(max_length=200, verbose_name='name')),
                        ('unit_price', models.DecimalField(decimal_places=4, max_digits=14, verbose_name='unit price')),
                        ('line_total', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='line total')),
                        ('discount', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='discount')),
                        ('ordered', models.PositiveIntegerField(verbose_name='ordered')),
                        ('open', models.PositiveIntegerField(verbose_name='open')),
                        ('backordered', models.PositiveIntegerField(default=0, verbose_name='backordered')),
                        ('allocated', models.PositiveIntegerField(default=0, verbose_name='allocated')),
                        ('released', models.PositiveIntegerField(default=0, verbose_name='released')),
                        ('shipped', models.PositiveIntegerField(default=0, verbose_name='shipped')),
                        ('cancelled', models.PositiveIntegerField(default=0, verbose_name='cancelled')),
                        ('delivered', models.PositiveIntegerField(default=0, verbose_name='delivered')),
                        ('returned', models.PositiveIntegerField(default=0, verbose_name='returned')),
                        ('replaced', models.PositiveIntegerField(db_default=0, default=0, verbose_name='replaced')),
                        ('custom', models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields')),
                    ],
                    options={
                        'verbose_name': 'order line',
                        'verbose_name_plural': 'order lines',
                        'constraints': [models.UniqueConstraint(fields=('order', 'position'), name='orders_line_position'), models.CheckConstraint(condition=models.Q(('ordered', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('open'), '+', models.F('backordered')), '+', models.F('allocated')), '+', models.F('released')), '+', models.F('shipped')), '+', models.F('cancelled')))), name='orders_line_ledger'), models.CheckConstraint(condition=models.Q(('delivered__lte', models.F('shipped')), ('returned__lte', models.F('shipped'))), name='orders_line_after_shipping')],
                    },
                ),
                migrations.CreateModel(
                    name='LineCredit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credits', to='orders.orderline', verbose_name='order line')),
                        ('units', models.PositiveIntegerField(verbose_name='units')),
                        ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                        ('cause', models.CharField(max_length=40, verbose_name='cause')),
                        ('made_at', models.DateTimeField(verbose_name='made at')),
                        ('voided_at', models.DateTimeField(blank=True, null=True, verbose_name='taken back at')),
                    ],
                    options={
                        'verbose_name': 'credit',
                        'verbose_name_plural': 'credits',
                        'indexes': [models.Index(fields=['cause'], name='orders_credit_cause')],
                    },
                ),
                migrations.CreateModel(
                    name='SealedReceiver',
                    fields=[
                        ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='sealed', serialize=False, to='orders.person')),
                        ('sealed', models.TextField()),
                        ('merge_key', models.CharField(db_index=True, max_length=64)),
                    ],
                    options={
                        'verbose_name': 'encrypted receiver',
                        'verbose_name_plural': 'encrypted receivers',
                    },
                ),
                migrations.CreateModel(
                    name='AddressChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='address_changes', to='orders.order', verbose_name='order')),
                        ('state', models.CharField(choices=[('requested', 'requested'), ('asking', 'warehouse asked'), ('applied', 'applied'), ('refused', 'dropped'), ('too_late', 'too late'), ('deciding', 'partly possible: needs a decision'), ('partly', 'applied to what came back')], default='requested', max_length=10, verbose_name='state')),
                        ('requested_by', models.CharField(choices=[('customer', 'customer'), ('channel', 'sales channel'), ('staff', 'staff member')], default='staff', max_length=10, verbose_name='asked for by')),
                        ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                        ('old_person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.person')),
                        ('new_person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.person')),
                        ('old_place', models.JSONField(verbose_name='old region')),
                        ('new_place', models.JSONField(verbose_name='new region')),
                        ('asked', models.JSONField(blank=True, default=list, verbose_name='fulfillment orders asked')),
                        ('answer', models.CharField(blank=True, max_length=200, verbose_name='answer')),
                        ('requested_at', models.DateTimeField(verbose_name='requested at')),
                        ('actor', models.CharField(blank=True, max_length=80, verbose_name='entered by')),
                        ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled at')),
                        ('escalated_at', models.DateTimeField(blank=True, null=True, verbose_name='escalated at')),
                        ('decided_by', models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='decided by')),
                    ],
                    options={
                        'verbose_name': 'address change',
                        'verbose_name_plural': 'address changes',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'asking', 'deciding'])), fields=('order',), name='orders_address_one_open')],
                    },
                ),
                migrations.CreateModel(
                    name='PromotionCounter',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('promotion', models.CharField(max_length=130, verbose_name='promotion')),
                        ('customer', models.CharField(blank=True, default='', editable=False, max_length=32)),
                        ('used', models.PositiveIntegerField(default=0, verbose_name='uses')),
                    ],
                    options={
                        'verbose_name': 'promotion counter',
                        'verbose_name_plural': 'promotion counters',
                        'constraints': [models.UniqueConstraint(fields=('promotion', 'customer'), name='orders_promotion_counter_once')],
                    },
                ),
                migrations.CreateModel(
                    name='PromotionUse',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promotion_uses', to='orders.order')),
                        ('counter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='orders.promotioncounter', verbose_name='promotion counter')),
                    ],
                    options={
                        'verbose_name': 'promotion use',
                        'verbose_name_plural': 'promotion uses',
                        'constraints': [models.UniqueConstraint(fields=('order', 'counter'), name='orders_promotion_use_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SkuCost',
                    fields=[
                        ('sku', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='cost', serialize=False, to='inventory.sku', verbose_name='SKU')),
                        ('cost', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='cost per unit')),
                        ('currency', models.CharField(default='CNY', max_length=3, verbose_name='currency')),
                    ],
                    options={
                        'verbose_name': 'SKU cost',
                        'verbose_name_plural': 'SKU costs',
                        'constraints': [models.CheckConstraint(condition=models.Q(('cost__gte', 0)), name='orders_sku_cost_not_negative')],
                    },
                ),
            ],
        ),
    ]
