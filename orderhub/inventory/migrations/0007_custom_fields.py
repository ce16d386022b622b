from django.db import migrations, models


def custom(model):
    return migrations.AddField(
        model_name=model,
        name='custom',
        field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields'),
    )


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0006_make_to_order_and_customs'),
    ]

    operations = [custom('sku'), custom('warehouse'), custom('historicalwarehouse')]
