from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('fulfillment', '0003_accepted_orders'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='fulfillmentorder',
            index=models.Index(condition=models.Q(('shipped_at__isnull', False)), fields=['shipped_at'], name='fulfillment_shipped'),
        ),
        AddIndexBesideTraffic(
            model_name='parcel',
            index=models.Index(condition=models.Q(('delivered_at__isnull', False)), fields=['delivered_at'], name='fulfillment_parcel_delivered'),
        ),
    ]
