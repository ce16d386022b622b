from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):
    atomic = False

    replaces = [("orders", "0009_custom_indexes")]
    dependencies = [("orders", "0001_start")]

    operations = [
        IndexCustom("orders_order"),
        IndexCustom("orders_orderline"),
    ]
