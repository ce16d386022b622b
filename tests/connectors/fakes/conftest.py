"""One world and one receiver for all tests of a file; each test begins with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orderhub.connectors.fakes.world import World
from tests.connectors.fakes.receiver import Receiver


@pytest.fixture(scope="module")
def _pair() -> Iterator[tuple[World, Receiver]]:
    receiver = Receiver()
    with World(seed=7, callback_url=receiver.url) as world:
        yield world, receiver
    receiver.close()


@pytest.fixture
def world(_pair: tuple[World, Receiver]) -> Iterator[World]:
    """An empty world that pushes to the receiver."""
    world, receiver = _pair
    world.reset()
    receiver.clear()
    before = {code: about["settings"] for code, about in world.about()["vendors"].items()}
    yield world
    for code, about in world.about()["vendors"].items():
        if about["settings"] != before[code]:
            world.settings(code, **before[code])


@pytest.fixture
def receiver(_pair: tuple[World, Receiver]) -> Receiver:
    """What the world pushes to."""
    return _pair[1]
