"""The use of each day by users, models and the whole site, for all processes: for budgets and for the spending page."""

from django.db import models

from chat.models.accounts import User


class DailyUse(models.Model):
    """One user's questions on one day (UTC), and the tokens of these questions and their answers."""

    pk = models.CompositePrimaryKey("user_id", "day")
    user = models.ForeignKey(User, models.CASCADE, related_name="use", db_index=False)
    day = models.DateField(db_index=True)
    questions = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.questions} questions, {self.tokens} tokens"


class SiteUse(models.Model):
    """The questions of all users on one day (UTC), counted if `WONDERCAM_LIMIT_DAY_QUESTIONS_SITE` limits them."""

    day = models.DateField(primary_key=True)
    questions = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.questions} questions"


class ModelUse(models.Model):
    """The answers of one model to one user that ended on one day (UTC), with their tokens. When the account is deleted,
    the row is kept without the user.

    `estimated` is the number of answers whose provider reported no tokens: theirs are estimated from the length.
    """

    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="spending", db_index=False)
    day = models.DateField()
    model = models.CharField(max_length=161, help_text="provider/model")
    answers = models.PositiveIntegerField(default=0)
    estimated = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0, help_text="with the model's thoughts")

    class Meta:
        verbose_name = "spending of a day"
        verbose_name_plural = "spending"
        ordering = ("-day", "-id")
        constraints = (models.UniqueConstraint(fields=("user", "day", "model"), name="one_spending_per_day_and_model"),)
        indexes = (models.Index(fields=("-day", "-id"), name="spending_newest_first"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.model}"
