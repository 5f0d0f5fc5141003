"""What each person has used of a day: the budget is counted here, once for all processes."""

from django.db import models

from chat.models.accounts import User


class DailyUse(models.Model):
    """Questions asked on one day (UTC), and the tokens of them and their answers."""

    pk = models.CompositePrimaryKey("user_id", "day")
    user = models.ForeignKey(User, models.CASCADE, related_name="use", db_index=False)
    day = models.DateField(db_index=True)
    questions = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.questions} questions, {self.tokens} tokens"
