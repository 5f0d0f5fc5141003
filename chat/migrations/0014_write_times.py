import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0013_feedback"),
    ]

    operations = [
        migrations.CreateModel(
            name="WriteTimes",
            fields=[
                (
                    "stream",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="write_times",
                        serialize=False,
                        to="chat.stream",
                    ),
                ),
                ("packed", models.BinaryField(help_text="`chat.protocol.write_times.pack`")),
            ],
        ),
        migrations.AlterField(
            model_name="receipt",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("good", "good"),
                    ("proxy", "proxy"),
                    ("network", "network"),
                    ("reader", "reader"),
                    ("server", "server"),
                ],
                max_length=7,
            ),
        ),
    ]
