"""Browsers that are told of answers while no page is in view."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0022_second_factor_in_the_audit_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the endpoint, in hex.", max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("endpoint", models.CharField(max_length=2000)),
                ("p256dh", models.CharField(help_text="The browser's public key, in base64url.", max_length=100)),
                ("auth", models.CharField(help_text="The secret that it shares, in base64url.", max_length=30)),
                ("family", models.CharField(db_index=True, max_length=64)),
                ("version", models.PositiveIntegerField()),
                ("told", models.BigIntegerField(default=0)),
                (
                    "failures",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Of the newest messages, one after the other."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("created_at",),
            },
        ),
    ]
