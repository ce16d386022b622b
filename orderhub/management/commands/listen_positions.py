"""`manage.py listen_positions`: takes positions of vehicles from an MQTT broker."""

from __future__ import annotations

import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string


class Command(BaseCommand):
    """Runs until it is stopped; `serve` starts it where MQTT_URL is set."""

    help = "Listen to the MQTT broker of MQTT_URL for positions of vehicles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The broker, and a name of ours there: two listeners of one name throw each other out."""
        parser.add_argument(
            "--url", default=settings.MQTT_URL, help="mqtt://user:password@host:1883 or mqtts://…"
        )
        parser.add_argument("--client-id", default=f"orderhub-positions-{socket.gethostname()}"[:60])

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen."""
        if not options["url"]:
            raise CommandError("Set MQTT_URL (mqtt://user:password@host:1883), or give --url.")
        listener = import_string("tracking.live_position.mqtt.Listener")(options["url"], options["client_id"])
        signal.signal(signal.SIGTERM, lambda *_signal: listener.stop())
        signal.signal(signal.SIGINT, lambda *_signal: listener.stop())
        listener.run()
        self.stdout.write(f"{listener.kept} positions were kept.")
