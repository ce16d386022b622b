from django.db import migrations, models

import orderhub.access.models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0002_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='merchant',
            name='fields_revision',
            field=models.BigIntegerField(db_default=0, default=orderhub.access.models.new_revision, editable=False),
        ),
    ]
