from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):
    atomic = False

    replaces = [("inventory", "0008_custom_indexes")]
    dependencies = [("inventory", "0002_movement_order")]

    operations = [
        IndexCustom("inventory_sku"),
        IndexCustom("inventory_warehouse"),
    ]
