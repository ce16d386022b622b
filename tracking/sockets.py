"""The sockets tracking answers; the composition root reaches them by name."""

from __future__ import annotations

from django.urls import re_path

from tracking.consumers import TrackingConsumer
from tracking.everywhere.board_sockets import BoardConsumer

patterns = [
    re_path(r"^ws/t/$", TrackingConsumer.as_asgi()),
    re_path(r"^ws/b/$", BoardConsumer.as_asgi()),
]
