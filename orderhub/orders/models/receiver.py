"""What a platform gives in place of a receiver it does not show, apart from the order and sealed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.orders.models.person import Person


class SealedReceiver(models.Model):
    """The platform's token and ciphers of one receiver (加密收件人), handed on untouched and never opened.

    `sealed` is a JSON text with what the platform sent, sealed with the hub's key; the mask people see is the person's
    own row, the region stands in clear on the order.
    """

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.CASCADE, related_name="sealed")
    sealed = models.TextField()
    # Receivers with the same key may get their orders in one parcel.
    merge_key = models.CharField(max_length=64, db_index=True)

    class Meta:
        verbose_name = _("encrypted receiver")
        verbose_name_plural = _("encrypted receivers")

    def __str__(self) -> str:
        return str(self.person_id)
