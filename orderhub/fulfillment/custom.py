"""Parcels carry custom fields."""

from __future__ import annotations

from orderhub.fields.targets import Target, register
from orderhub.fulfillment.models import Parcel

register(Target("parcel", Parcel, person_path="fulfillment__order__person_id"))
