"""Random chains × allocations: sums exact, nothing negative, a second time the same; 20,000 of them in the bench."""

from __future__ import annotations

import random

from tests.carbon import chains


def test_random_chains_of_every_method_add_up_and_replay() -> None:
    """Pass figure: 300 chains, 0 faults (bench/carbon_property.py: 20,000)."""
    dice = random.Random(20261123)

    assert [fault for _n in range(300) for fault in chains.faults(chains.case(dice))] == []
