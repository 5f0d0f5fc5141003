"""What readers' pages say of how a turn reached them."""

from django.db import models

from chat.models.conversations import Stream
from chat.protocol import receipt
from chat.protocol.receipt import Arrival


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
