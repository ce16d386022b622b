"""All tables as they came to be in 4 steps: a new database makes them once."""

import django.db.models.deletion
import orderhub.events.operations
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('events', '0001_initial'), ('events', '0004_delivery_tally'), ('events', '0005_delivery_topic'), ('events', '0006_urgent_deliveries')]

    initial = True

    dependencies = [
        ('access', '0001_start'),
    ]

    operations = [
        orderhub.events.operations.AllTables(
            tables=[
                migrations.CreateModel(
                    name='Cursor',
                    fields=[
                        ('name', models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name='projection')),
                        ('tx', models.BigIntegerField(default=0, verbose_name='transaction')),
                        ('event_id', models.BigIntegerField(default=0, verbose_name='last event')),
                        ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                    ],
                    options={
                        'verbose_name': 'cursor',
                        'verbose_name_plural': 'cursors',
                    },
                ),
                migrations.CreateModel(
                    name='StreamHead',
                    fields=[
                        ('stream', models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ('seq', models.PositiveIntegerField()),
                        ('hash', models.CharField(max_length=64)),
                    ],
                ),
                migrations.CreateModel(
                    name='WorkerBeat',
                    fields=[
                        ('name', models.CharField(max_length=120, primary_key=True, serialize=False, verbose_name='name')),
                        ('queues', models.CharField(blank=True, max_length=120, verbose_name='queues')),
                        ('beat_at', models.DateTimeField(verbose_name='last heard')),
                    ],
                    options={
                        'verbose_name': 'worker',
                        'verbose_name_plural': 'workers',
                    },
                ),
                migrations.CreateModel(
                    name='DeliveryTally',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('subscriber', models.CharField(max_length=64, verbose_name='subscriber')),
                        ('state', models.CharField(choices=[('ready', 'ready'), ('leased', 'in progress'), ('done', 'done'), ('dead', 'needs a person'), ('skipped', 'skipped')], max_length=8, verbose_name='state')),
                        ('number', models.PositiveBigIntegerField(default=0, verbose_name='number')),
                    ],
                    options={
                        'verbose_name': 'forgotten deliveries',
                        'verbose_name_plural': 'forgotten deliveries',
                        'constraints': [models.UniqueConstraint(fields=('subscriber', 'state'), name='events_tally_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('merchant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('stream', models.CharField(max_length=64, verbose_name='stream')),
                        ('seq', models.PositiveIntegerField(verbose_name='sequence')),
                        ('kind', models.CharField(max_length=64, verbose_name='kind')),
                        ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                        ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                        ('actor', models.CharField(blank=True, max_length=80, verbose_name='actor')),
                        ('payload', models.JSONField(default=dict, verbose_name='payload')),
                        ('prev_hash', models.CharField(max_length=64, verbose_name='previous hash')),
                        ('hash', models.CharField(max_length=64, verbose_name='hash')),
                    ],
                    options={
                        'verbose_name': 'event',
                        'verbose_name_plural': 'events',
                        'constraints': [models.UniqueConstraint(fields=('stream', 'seq'), name='events_event_stream_seq')],
                    },
                ),
                migrations.CreateModel(
                    name='Delivery',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='events.event', verbose_name='event')),
                        ('merchant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='access.merchant', verbose_name='merchant')),
                        ('subscriber', models.CharField(max_length=64, verbose_name='subscriber')),
                        ('destination', models.CharField(blank=True, max_length=64, verbose_name='destination')),
                        ('stream', models.CharField(max_length=64, verbose_name='stream')),
                        ('ordered', models.BooleanField(default=True, verbose_name='in order')),
                        ('topic', models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='topic')),
                        ('waits_for', models.CharField(blank=True, db_default='', default='', max_length=400, verbose_name='waits for')),
                        ('is_urgent', models.BooleanField(db_default=False, default=False, verbose_name='goes first')),
                        ('state', models.CharField(choices=[('ready', 'ready'), ('leased', 'in progress'), ('done', 'done'), ('dead', 'needs a person'), ('skipped', 'skipped')], default='ready', max_length=8, verbose_name='state')),
                        ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                        ('not_before', models.DateTimeField(verbose_name='not before')),
                        ('lease_until', models.DateTimeField(null=True, verbose_name='lease until')),
                        ('lease_token', models.CharField(blank=True, max_length=32)),
                        ('last_error', models.TextField(blank=True, verbose_name='last error')),
                        ('dead_reason', models.CharField(blank=True, max_length=200, verbose_name='why it stopped')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
                        ('created_at', models.DateTimeField(verbose_name='created at')),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='finished at')),
                    ],
                    options={
                        'verbose_name': 'delivery',
                        'verbose_name_plural': 'deliveries',
                        'indexes': [models.Index(condition=models.Q(('state__in', ['ready', 'leased', 'dead'])), fields=['subscriber', 'destination', 'stream', 'id'], name='events_delivery_head'), models.Index(condition=models.Q(('state__in', ['ready', 'leased'])), fields=['subscriber', 'id'], name='events_delivery_queue'), models.Index(condition=models.Q(('state__in', ['ready', 'leased'])), fields=['not_before'], name='events_delivery_open'), models.Index(condition=models.Q(('is_urgent', True), ('state__in', ['ready', 'leased'])), fields=['subscriber', 'id'], name='events_delivery_urgent')],
                        'constraints': [models.UniqueConstraint(fields=('event', 'subscriber', 'destination'), name='events_delivery_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ParkedEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('cursor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parked', to='events.cursor', verbose_name='projection')),
                        ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='events.event', verbose_name='event')),
                        ('stream', models.CharField(max_length=64, verbose_name='stream')),
                        ('error', models.TextField(blank=True, verbose_name='error')),
                        ('parked_at', models.DateTimeField(auto_now_add=True, verbose_name='parked at')),
                    ],
                    options={
                        'verbose_name': 'parked event',
                        'verbose_name_plural': 'parked events',
                        'indexes': [models.Index(fields=['cursor', 'stream'], name='events_parked_stream')],
                        'constraints': [models.UniqueConstraint(fields=('cursor', 'event'), name='events_parked_once')],
                    },
                ),
            ],
        ),
    ]
