"""Verdicts on answers, and the group whose members file them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GROUP = "Reviewers"
PERMISSIONS = {
    "conversation": ("view",),
    "stream": ("view",),
    "verdict": ("view", "add", "change"),
}


def make_group(apps, schema_editor):
    """Permissions are else made after all migrations: whoever is missing is made here, as Django names it."""
    alias = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=GROUP)
    for model, actions in PERMISSIONS.items():
        content_type, _ = content_types.get_or_create(app_label="chat", model=model)
        for action in actions:
            names = {"content_type": content_type, "codename": f"{action}_{model}"}
            found, _ = permissions.get_or_create(**names, defaults={"name": f"Can {action} {model}"})
            group.permissions.add(found)


def remove_group(apps, schema_editor):
    apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).filter(name=GROUP).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("chat", "0016_search_text"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewLock",
            fields=[
                (
                    "stream",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="review_lock",
                        serialize=False,
                        to="chat.stream",
                    ),
                ),
                ("until", models.DateTimeField()),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")], null=True
                    ),
                ),
                ("rubric", models.JSONField(default=dict, help_text="Criteria that were judged: true where held.")),
                ("tags", models.JSONField(default=list)),
                ("note", models.TextField(blank=True, max_length=4000)),
                ("flagged", models.BooleanField(default=False, help_text="Somebody else is to look at it as well.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="verdicts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="verdicts", to="chat.stream"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VerdictChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("score", models.PositiveSmallIntegerField(null=True)),
                ("rubric", models.JSONField(default=dict)),
                ("tags", models.JSONField(default=list)),
                ("note", models.TextField(blank=True)),
                ("flagged", models.BooleanField(default=False)),
                (
                    "verdict",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="chat.verdict"
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
            },
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["-updated_at"], name="chat_verdic_updated_874ae5_idx"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(fields=("stream", "reviewer"), name="one_verdict_of_each_reviewer"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__isnull", True), ("score__in", (1, 2, 3, 4, 5)), _connector="OR"),
                name="score_is_known",
            ),
        ),
        migrations.RunPython(make_group, remove_group),
    ]
