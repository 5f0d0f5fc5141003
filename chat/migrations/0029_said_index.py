"""Made an index of all messages, to which the end of each answer added its text; that of 0031 has taken its place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0028_api_key_name")]
    operations: list[migrations.RunPython] = []
