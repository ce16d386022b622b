"""The profiles that come with OrderHub: every one of them tested and in force, and brought up to date once."""

from __future__ import annotations

import pytest

from orderhub.connectors import shelf
from orderhub.connectors.models import Profile, ProfileVersion
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db


def test_every_shipped_profile_passes_its_tests_and_a_second_run_changes_nothing() -> None:
    first = shelf.load_shipped(now=clock.now())
    again = shelf.load_shipped(now=clock.now())

    assert first == Profile.objects.filter(is_shipped=True, in_force__isnull=False).count()
    assert first >= 20
    assert again == 0
    assert not ProfileVersion.objects.filter(tests_passed=0).exists()
