"""Activity data by API: meters, sensors, trips, packing lists and work on returns, each fact once by its key."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carbon.activity import services
from carbon.activity.models import ActivityRecord
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.kernel import clock


class ActivityIn(serializers.Serializer[Any]):
    """One fact; what `data` holds depends on its kind."""

    kind = serializers.ChoiceField(choices=ActivityRecord.Kind.choices)
    key = serializers.CharField(max_length=120, help_text="Makes the fact count once.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    evidence_sha256 = serializers.RegexField(r"^[0-9a-f]{64}$", required=False, allow_blank=True, default="")
    supersedes = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """With the two whose names a serializer uses itself."""
        found = super().get_fields()
        own: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            "data": serializers.DictField(help_text="Figures as decimal strings; binary floats are refused."),
            "source": serializers.CharField(max_length=80),
        }
        last = {name: found.pop(name) for name in ("evidence_sha256", "supersedes")}
        return {**found, **own, **last}


class ActivitiesIn(serializers.Serializer[Any]):
    """Up to 500 facts."""

    records = serializers.ListField(child=ActivityIn(), allow_empty=False, max_length=services.MOST_RECORDS)


class ActivityFault(serializers.Serializer[Any]):
    """What is wrong with one field of a fact."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ActivityOut(serializers.Serializer[Any]):
    """What became of one fact: accepted, repeated or refused."""

    key = serializers.CharField()
    status = serializers.ChoiceField(choices=["accepted", "repeated", "refused"])
    flags = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """With the one whose name a serializer uses itself."""
        return {**super().get_fields(), "errors": ActivityFault(many=True)}


class ActivitiesOut(serializers.Serializer[Any]):
    """One row per fact, in the order of the request."""

    results = ActivityOut(many=True)


class ActivitiesView(APIView):
    """Facts that replace estimates: sound ones are kept and reach the ledger, wrong ones are named and left out."""

    scope = "carbon"

    @extend_schema(
        request=ActivitiesIn, responses={200: ActivitiesOut}, operation_id="carbon_activities_create"
    )
    def post(self, request: Request, *args: Any) -> Response:
        """Take up to 500 facts; each is accepted, known already, or refused with the reason."""
        body = ActivitiesIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = [services.Given(**one) for one in body.validated_data["records"]]
        taken = services.take(merchant_of(request), given, actor=actor_of(request), now=clock.now())
        return Response({"results": [_told(one, what) for one, what in zip(given, taken, strict=True)]})


def message_of(code: str) -> str:
    """A fault in words."""
    words = {
        "missing": _("This field is needed."),
        "unknown": _("This is not known here."),
        "not_a_number": _("This is no number."),
        "float": _("Send figures as decimal strings."),
        "negative": _("This cannot be negative."),
        "zero": _("This cannot be zero."),
        "too_large": _("This is too large."),
        "not_a_text": _("This is no text."),
        "not_a_list": _("This is no list of objects."),
        "meter_backwards": _("The meter runs backwards. Say that it was replaced, or correct the reading."),
        "window_overlaps": _("There is a reading of this meter for a part of this time already."),
        "before_start": _("The end lies before the beginning."),
        "in_the_future": _("This lies in the future."),
        "not_a_moment": _("Give a date and time with its time zone, like 2026-11-01T00:00+08:00."),
        "not_utf8": _("The file is not UTF-8. Save it as CSV in UTF-8."),
        "too_many_cells": _("The row has more cells than the head. Put texts with commas into quotes."),
        "below_lowest": _("The highest lies below the lowest."),
        "below_parcels": _("There are more parcels than that."),
    }
    return words.get(code, code)


def _told(one: services.Given, what: services.Taken) -> dict[str, Any]:
    status = "refused" if what.record is None else "repeated" if what.is_repeated else "accepted"
    errors = [{"field": name, "code": code, "message": message_of(code)} for name, code in what.faults]
    flags = [] if what.record is None else list(what.record.flags)
    return {"key": one.key, "status": status, "flags": flags, "errors": errors}
