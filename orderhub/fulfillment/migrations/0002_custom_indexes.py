from django.db import migrations

from orderhub.fields.operations import IndexCustom


class Migration(migrations.Migration):
    atomic = False

    replaces = [("fulfillment", "0007_custom_indexes")]
    dependencies = [("fulfillment", "0001_start")]

    operations = [
        IndexCustom("fulfillment_parcel"),
    ]
