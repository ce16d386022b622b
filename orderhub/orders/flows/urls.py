"""The editor of drawn flows, beneath the admin."""

from __future__ import annotations

from django.urls import path

from orderhub.orders.flows import deeds, views

app_name = "flows"
urlpatterns = [
    path("", views.library, name="library"),
    path("copy/<slug:code>/", views.copy, name="copy"),
    path("<int:pk>/", views.draw, name="draw"),
    path("<int:pk>/check/", views.check, name="check"),
    path("<int:pk>/save/", views.save, name="save"),
    path("<int:pk>/try/", views.try_, name="try"),
    path("<int:pk>/publish/", deeds.publish, name="publish"),
    path("<int:pk>/back/<int:number>/", deeds.roll_back, name="back"),
    path("<int:pk>/withdraw/<int:number>/", deeds.withdraw, name="withdraw"),
    path("<int:pk>/move/<int:number>/", deeds.move, name="move"),
    path("<int:pk>/switch/", deeds.switch, name="switch"),
]
