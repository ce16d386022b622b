"""Whether a truck can be there: a coarse grid of the Earth's land, made from Natural Earth's shapes; pure.

The grid has cells of a quarter of a degree. A cell counts as land when land touches it or one of its neighbors, so that no
harbor, bridge or small island is taken for the sea: what lies far out, or at 0°, 0°, is.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

CELLS_PER_DEGREE = 4
COLUMNS, ROWS = 360 * CELLS_PER_DEGREE, 180 * CELLS_PER_DEGREE
FILE = Path(__file__).resolve().parents[1] / "data" / "land.bin"
#: What a receiver without a fix sends.
_NOWHERE_DEG = 0.001


def is_at_sea(lat: float, lng: float) -> bool:
    """Whether no land lies within about 25 km, or the place is the 0°, 0° of a receiver without a fix."""
    if abs(lat) < _NOWHERE_DEG and abs(lng) < _NOWHERE_DEG:
        return True
    row = min(int((lat + 90) * CELLS_PER_DEGREE), ROWS - 1)
    column = int((lng + 180) * CELLS_PER_DEGREE) % COLUMNS
    number = row * COLUMNS + column
    return not _grid()[number >> 3] & (1 << (number & 7))


@cache
def _grid() -> bytes:
    return zlib.decompress(FILE.read_bytes())
