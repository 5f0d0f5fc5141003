"""The questions of a day of all people together, for `WONDERCAM_LIMIT_DAY_QUESTIONS_SITE`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0029_said_index")]
    operations = [
        migrations.CreateModel(
            name="SiteUse",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("questions", models.PositiveBigIntegerField(default=0)),
            ],
        )
    ]
