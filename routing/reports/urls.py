"""The routing reports, beneath the admin."""

from __future__ import annotations

from django.urls import path

from routing.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.page, name="page"),
    path("make/", views.make, name="make"),
    path("<int:pk>/", views.report, name="report"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/files/<slug:name>/", views.file, name="file"),
    path("advice/<int:pk>/replay/", views.replay, name="replay"),
    path("advice/<int:pk>/transfers.csv", views.transfer_file, name="transfers"),
]
