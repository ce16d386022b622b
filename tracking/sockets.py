"""The sockets tracking answers; the composition root reaches them by name."""

from __future__ import annotations

from django.urls import re_path

from tracking.consumers import TrackingConsumer

patterns = [re_path(r"^ws/t/$", TrackingConsumer.as_asgi())]
