"""How a turn reached its reader: what the reader's page says of it, and what the server does."""

from django.db import models

from chat.models.conversations import Stream
from chat.protocol import receipt, write_times
from chat.protocol.receipt import Arrival
from chat.protocol.write_times import Write


class Receipt(models.Model):
    """When the events of one stream were received and painted; the fullest account that its reader gave."""

    VERDICTS = tuple((verdict, verdict) for verdict in receipt.VERDICTS)

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="receipt")
    created_at = models.DateTimeField(auto_now_add=True)
    user_agent = models.CharField(max_length=200, blank=True)
    count = models.PositiveIntegerField(help_text="How many events arrived.")
    offset_us = models.BigIntegerField(help_text="From the request's sending to the stream's begin, estimated.")
    error_us = models.BigIntegerField(help_text="How far off that may be.")
    verdict = models.CharField(max_length=7, choices=VERDICTS)
    packed = models.BinaryField(help_text="`chat.protocol.receipt.pack`")

    class Meta:
        indexes = (models.Index(fields=("verdict", "-created_at")),)

    def __str__(self) -> str:
        return f"{self.stream_id}: {self.verdict}"

    @property
    def arrivals(self) -> list[Arrival]:
        """When each event was received and painted, on its reader's clock."""
        return receipt.unpack(bytes(self.packed))


class WriteTimes(models.Model):
    """When the events of one stream were stored, and written to the socket of the reader who asked."""

    stream = models.OneToOneField(Stream, models.CASCADE, primary_key=True, related_name="write_times")
    packed = models.BinaryField(help_text="`chat.protocol.write_times.pack`")

    def __str__(self) -> str:
        return str(self.stream_id)

    @property
    def writes(self) -> list[Write]:
        """When each event was stored and written, on the stream's clock."""
        return write_times.unpack(bytes(self.packed))
