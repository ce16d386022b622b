"""Personal data, apart from everything else, so that a person can be erased while history stays whole."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class Person(models.Model):
    """The receiver of an order; rows elsewhere hold only the token."""

    token = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        # The screening counts the orders of one telephone number.
        indexes = [models.Index(fields=["phone"], name="orders_person_phone", condition=~models.Q(phone=""))]

    def __str__(self) -> str:
        return str(self.token)
