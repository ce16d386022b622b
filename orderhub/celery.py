"""The Celery app: named queues only, so that a typo fails loudly."""

from __future__ import annotations

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")

QUEUES = ("intake", "route", "outbox", "carbon", "import", "low")

app = Celery("orderhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.autodiscover_tasks()
