"""A permission of its own to read the texts of other people's chats; whoever could see conversations keeps it."""

from django.db import migrations

CODENAME, NAME = "read_texts", "Can read the texts of other people's chats"


def give(apps, schema_editor):
    """Permissions are else made after all migrations: it is made here, as Django names it."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="chat", model="conversation"
    )
    permissions = apps.get_model("auth", "Permission").objects
    made, _ = permissions.get_or_create(content_type=content_type, codename=CODENAME, defaults={"name": NAME})
    held = {"content_type": content_type, "codename": "view_conversation"}
    for group in apps.get_model("auth", "Group").objects.filter(**{f"permissions__{key}": held[key] for key in held}):
        group.permissions.add(made)
    for user in apps.get_model("chat", "User").objects.filter(
        **{f"user_permissions__{key}": held[key] for key in held}
    ):
        user.user_permissions.add(made)


def take(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="chat", codename=CODENAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("chat", "0017_verdicts"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="conversation",
            options={"ordering": ("-pinned", "-updated_at"), "permissions": ((CODENAME, NAME),)},
        ),
        migrations.RunPython(give, take),
    ]
