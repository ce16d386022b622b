"""The pages of the starter library, beneath the admin."""

from __future__ import annotations

from django.urls import path

from rules.library import pages

app_name = "library"
urlpatterns = [
    path("", pages.browse, name="browse"),
    path("<slug:shelf>/<slug:code>/", pages.copy, name="copy"),
]
