import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import orderhub.access.scopes


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='last_used_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last used at'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='rate_per_second',
            field=models.PositiveIntegerField(blank=True, help_text="Empty means the hub's default; twice as many may come at once.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)], verbose_name='calls per second'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='replaced_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='access.apikey', verbose_name='replaced by'),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='scopes',
            field=models.JSONField(blank=True, default=list, help_text='Empty means every scope.', validators=[orderhub.access.scopes.validate], verbose_name='scopes'),
        ),
    ]
