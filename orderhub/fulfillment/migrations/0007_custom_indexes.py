from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('fulfillment', '0006_custom_fields'),
    ]

    operations = [
        IndexCustom('fulfillment_parcel'),
    ]
