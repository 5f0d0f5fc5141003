"""A permission of its own to read the texts of other people's chats; whoever could see conversations keeps it."""

from django.db import migrations

CODENAME, NAME = "read_texts", "Can read the texts of other people's chats"


def give(apps, schema_editor):
    """Permissions are else made after all migrations: it is made here, as Django names it."""
    alias = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    content_type, _ = content_types.get_or_create(app_label="chat", model="conversation")
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    made, _ = permissions.get_or_create(content_type=content_type, codename=CODENAME, defaults={"name": NAME})
    held = {"content_type": content_type, "codename": "view_conversation"}
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(**{f"permissions__{key}": held[key] for key in held}):
        group.permissions.add(made)
    users = apps.get_model("chat", "User").objects.using(alias)
    for user in users.filter(**{f"user_permissions__{key}": held[key] for key in held}):
        user.user_permissions.add(made)


def take(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    permissions.filter(content_type__app_label="chat", codename=CODENAME).delete()


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
