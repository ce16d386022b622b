"""The load board and the replay of a decision, beneath the admin."""

from __future__ import annotations

from django.urls import path

from routing import replay_views
from routing.board import views

app_name = "routing"
urlpatterns = [
    path("", views.board, name="board"),
    path("<int:pk>/<slug:kind>/", views.pull, name="board-lever"),
    path("replay/<int:pk>/", replay_views.page, name="replay"),
    path("levers/<int:pk>/lift/", views.lift, name="board-lift"),
]
