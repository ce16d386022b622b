from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0004_delivery_tally'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='is_urgent',
            field=models.BooleanField(db_default=False, default=False, verbose_name='goes first'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='topic',
            field=models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='topic'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='waits_for',
            field=models.CharField(blank=True, db_default='', default='', max_length=400, verbose_name='waits for'),
        ),
    ]
