"""The routes that specifications of others name: they stand at the root."""

from __future__ import annotations

from django.urls import path, re_path

from carbon.interfaces import api, passports, tokens

app_name = "carbon-open"
_GTIN = r"^01/(?P<gtin>[0-9]{8,14})/"
_TAIL = (
    ("", ""),
    ("-serial", r"21/(?P<serial>[A-Za-z0-9._-]{1,20})/"),
    ("-lot", r"10/(?P<lot>[A-Za-z0-9._-]{1,20})/"),
)
urlpatterns = [
    path("auth/token", tokens.token, name="token"),
    path("2/footprints", api.FootprintsV2.as_view(), name="footprints-2"),
    path("2/footprints/<uuid:public_id>", api.FootprintV2.as_view(), name="footprint-2"),
    path("2/ileap/tad", api.Activities.as_view(), name="tad"),
    path("3/footprints", api.FootprintsV3.as_view(), name="footprints-3"),
    path("3/footprints/<uuid:public_id>", api.FootprintV3.as_view(), name="footprint-3"),
    path("3/events", api.EventsV3.as_view(), name="events-3"),
    *[re_path(f"{_GTIN}{tail}?$", passports.page, name=f"passport{name}") for name, tail in _TAIL],
    *[re_path(f"{_GTIN}{tail}qr\\.svg$", passports.code, name=f"passport{name}-qr") for name, tail in _TAIL],
]
