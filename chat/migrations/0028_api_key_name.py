"""What the admin calls API keys. No statement is run."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0027_events_by_time")]
    operations = [
        migrations.AlterModelOptions("apikey", options={"ordering": ("created_at",), "verbose_name": "API key"})
    ]
