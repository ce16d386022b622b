"""`manage.py carbon_claims --market EU`: read our own customer-facing sentences and published texts with the linter."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from carbon.claims import linter, services
from carbon.claims.models import ClaimText
from carbon.wording import say


class Command(BaseCommand):
    """Lists what a market does not allow; ends with an error if there is anything."""

    help = (
        "Check our own texts and merchants' published ones for climate claims that a market does not allow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which market."""
        parser.add_argument("--market", default="EU", help="EU, or a country's two letters")

    def handle(self, *args: Any, **options: Any) -> None:
        """A line a finding."""
        market, words, count = str(options["market"]).upper(), services.words_in_force(), 0
        texts = [
            (place, language, text)
            for language in ("zh", "en")
            for place, text in services.templates(language)
        ]
        rows = ClaimText.objects.filter(published_at__isnull=False, market__in=(market, "*"))
        texts += [(str(row), row.language, row.published_text) for row in rows]
        for place, language, text in texts:
            for one in linter.lint(text, market=market, language=language, words=words):
                count += 1
                self.stdout.write(f"{place} ({language}): {one.code} {one.text} {say(one.zh, one.en)}")
        if count:
            raise CommandError(f"{count} findings in {len(texts)} texts")
        self.stdout.write(f"{len(texts)} texts, nothing to object")
