from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0008_custom_fields'),
    ]

    operations = [
        IndexCustom('orders_order'),
        IndexCustom('orders_orderline'),
    ]
