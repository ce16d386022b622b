from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_screening'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='custom',
            field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='custom',
            field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name='custom fields'),
        ),
    ]
