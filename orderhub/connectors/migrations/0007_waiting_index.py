from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


def settle_rings(apps, schema_editor):
    """The open message itself is owed now; a delivery that rang for it has nobody left to run it."""
    rings = apps.get_model('events', 'Delivery').objects.filter(subscriber='connectors.inbox')
    rings.filter(state__in=['ready', 'leased', 'dead']).update(state='skipped', note='settled by the inbox itself')


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('connectors', '0006_stock_rules'),
        ('events', '0004_delivery_tally'),
    ]

    operations = [
        migrations.RunPython(settle_rings, migrations.RunPython.noop),
        AddIndexBesideTraffic(
            model_name='inboxmessage',
            index=models.Index(condition=models.Q(('state', 'received')), fields=['connection', 'id'], name='connectors_inbox_waiting'),
        ),
        migrations.RemoveIndex(
            model_name='inboxmessage',
            name='connectors_inbox_open',
        ),
    ]
