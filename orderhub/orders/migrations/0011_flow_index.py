from django.db import migrations, models

from orderhub.events.operations import AddIndexBesideTraffic


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0010_drawn_flows'),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name='order',
            index=models.Index(condition=models.Q(('flow_version__isnull', False), models.Q(('step_state', 'done'), _negated=True)), fields=['flow_version', 'id'], name='orders_order_flow'),
        ),
    ]
