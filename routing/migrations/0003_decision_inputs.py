from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('routing', '0002_last_day'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='inputs',
            field=models.TextField(editable=False, null=True, verbose_name='inputs'),
        ),
    ]
