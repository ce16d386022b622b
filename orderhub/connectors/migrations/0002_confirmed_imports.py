from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("connectors", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="importbatch",
            name="chosen_encoding",
            field=models.CharField(
                blank=True, help_text="Empty: found out from the file.", max_length=20, verbose_name="encoding chosen by hand"
            ),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="confirmed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Until then it is only a preview and nothing runs.",
                null=True,
                verbose_name="confirmed at",
            ),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="resume_row",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name="importbatch",
            index=models.Index(fields=["merchant", "-id"], name="connectors_import_list"),
        ),
    ]
