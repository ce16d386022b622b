from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="fulfillmentorder",
            name="cancel_intent",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="What a granted cancellation is for: cancel or reroute.",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="fulfillmentorder",
            name="carton_grams",
            field=models.PositiveIntegerField(
                blank=True, editable=False, null=True, verbose_name="packaging grams"
            ),
        ),
        migrations.AddField(
            model_name="fulfillmentorder",
            name="packed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="packed at"),
        ),
        migrations.AddField(
            model_name="fulfillmentorder",
            name="packed_grams",
            field=models.PositiveIntegerField(
                blank=True, editable=False, null=True, verbose_name="packed grams"
            ),
        ),
        migrations.AddField(
            model_name="parcel",
            name="scans",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
