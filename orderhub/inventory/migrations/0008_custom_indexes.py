from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('inventory', '0007_custom_fields'),
    ]

    operations = [
        IndexCustom('inventory_sku'),
        IndexCustom('inventory_warehouse'),
    ]
