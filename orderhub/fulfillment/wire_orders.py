"""The quick way to read a new order: it knows the plain forms only and leaves everything else to the serializer.

`read` gives exactly what `documents.OrderIn` would, or None: then the serializer is asked, which also words the
errors. So there is one set of rules, and one wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError

from orderhub.fulfillment import documents
from orderhub.kernel import clock

_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FOUR_PLACES = Decimal("0.0001")
_ORDER = frozenset(documents.OrderIn().fields)
_PLACE = frozenset(documents.DestinationIn().fields)
_LINE = frozenset(documents.LineIn().fields)
_PLAIN_LINE = _LINE - {"custom"}
#: name, longest, default; no default: must be there and not blank.
_PLACE_TEXTS = (
    ("province", 60, None), ("city", 80, None), ("district", 80, ""), ("address", 500, None), ("name", 200, None),
    ("phone", 60, None), ("postcode", 20, ""), ("email", 254, ""),
)  # fmt: skip
_SERVICES = frozenset(documents.SERVICES)


class _Unusual(Exception):
    """Not one of the plain forms."""


def validated(body: object) -> dict[str, Any]:
    """The order as `documents.OrderIn` validates it; raises ValidationError in its words."""
    found = read(body)
    if found is not None:
        return found
    form = documents.OrderIn(data=body)
    if form.is_valid():
        return dict(form.validated_data)
    raise ValidationError(_by_position(form.errors))


def _by_position(detail: Any) -> Any:
    """Errors of list items stand under their number; as a list their path becomes `lines[3].quantity`."""
    if isinstance(detail, dict) and detail and all(isinstance(key, int) for key in detail):
        return [_by_position(detail.get(position, {})) for position in range(max(detail) + 1)]
    if isinstance(detail, dict):
        return {name: _by_position(inner) for name, inner in detail.items()}
    return detail


def read(body: object) -> dict[str, Any] | None:
    """The validated order if each part has its plain form, else None."""
    try:
        return _order(body)
    except (_Unusual, KeyError):
        return None


def _order(body: object) -> dict[str, Any]:
    if type(body) is not dict or not body.keys() <= _ORDER:
        raise _Unusual
    lines = body["lines"]
    if type(lines) is not list or not 0 < len(lines) <= documents.MOST_LINES:
        raise _Unusual
    found = {
        "external_id": _text(body, "external_id", 100, None),
        "channel": _text(body, "channel", 40, "api"),
        "currency": _match(body, "currency", _CURRENCY, "CNY"),
        "paid": _flag(body, "paid"),
        "destination": _destination(body["destination"]),
        "lines": [_line(line) for line in lines],
        "service": body.get("service", "standard"),
        "green": _flag(body, "green"),
        "note": _text(body, "note", 500, ""),
        "extra": _extra(body.get("extra")) if "extra" in body else {},
    }
    if not found["channel"] or type(found["service"]) is not str or found["service"] not in _SERVICES:
        raise _Unusual
    if "custom" in body:
        found["custom"] = _custom(body["custom"])
    if "placed_at" in body:
        found["placed_at"] = _moment(body["placed_at"])
    return found


def _destination(place: object) -> dict[str, str]:
    if type(place) is not dict or not place.keys() <= _PLACE:
        raise _Unusual
    found = {"country": _match(place, "country", _COUNTRY, "CN")}
    for name, longest, default in _PLACE_TEXTS:
        found[name] = _text(place, name, longest, default)
    return found


def _line(line: object) -> dict[str, Any]:
    if type(line) is not dict or (line.keys() != _PLAIN_LINE and line.keys() != _LINE):
        raise _Unusual
    quantity = line["quantity"]
    if type(quantity) is not int or not 1 <= quantity <= documents.MOST_UNITS:
        raise _Unusual
    found: dict[str, Any] = {
        "sku": _text(line, "sku", 80, None), "quantity": quantity, "unit_price": _price(line["unit_price"]),
    }  # fmt: skip
    if "custom" in line:
        found["custom"] = _custom(line["custom"])
    return found


def _price(value: object) -> Decimal:
    if type(value) is float or type(value) is int:
        value = str(value)
    if type(value) is not str or not _PRICE.fullmatch(value):
        raise _Unusual
    return Decimal(value).quantize(_FOUR_PLACES)


def _text(source: Mapping[str, object], name: str, longest: int, default: str | None) -> str:
    value = source[name] if default is None else source.get(name, default)
    if type(value) is not str:
        raise _Unusual
    value = value.strip()
    if len(value) > longest or "\x00" in value or (default is None and not value) or not _whole(value):
        raise _Unusual
    return value


def _whole(value: str) -> bool:
    """Whether no half of a character is in it: those cannot be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _match(source: Mapping[str, object], name: str, form: re.Pattern[str], default: str) -> str:
    value = source.get(name, default)
    if type(value) is not str or not form.fullmatch(value):
        raise _Unusual
    return value


def _flag(source: Mapping[str, object], name: str) -> bool:
    value = source.get(name, False)
    if value is not True and value is not False:
        raise _Unusual
    return value


def _extra(value: object) -> dict[str, Any]:
    if type(value) is not dict or not documents.extra_fits(value):
        raise _Unusual
    return value


def _custom(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Unusual
    return value


def _moment(value: object) -> datetime:
    try:
        found = parse_datetime(value) if type(value) is str else None
        if found is None or timezone.is_naive(found):
            raise _Unusual
        found = found.astimezone(timezone.get_current_timezone())
    except (ValueError, OverflowError) as fault:
        raise _Unusual from fault
    if not documents.EARLIEST <= found <= clock.now() + documents.FUTURE:
        raise _Unusual
    return found
