from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fulfillment', '0005_made_to_order'),
    ]

    operations = [
        migrations.AddField(
            model_name='parcel',
            name='custom',
            field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields'),
        ),
    ]
