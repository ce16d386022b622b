"""Makes tracking/data/land.bin from Natural Earth's land (public domain), as the package world-atlas ships it.

Run once, after another resolution is chosen: `python .ci/land_grid.py`. A bit per cell, rows from the south; see
tracking/live_position/land.py for what counts as land.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tracking.live_position.land import CELLS_PER_DEGREE, COLUMNS, FILE, ROWS  # noqa: E402

SOURCE = ROOT / "frontend" / "node_modules" / "world-atlas" / "land-50m.json"


def rings(world: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Every ring of the land as longitudes and latitudes."""
    scale, shift = world["transform"]["scale"], world["transform"]["translate"]
    arcs = []
    for arc in world["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(points)

    def ring(numbers: list[int]) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        for number in numbers:
            points = arcs[number] if number >= 0 else arcs[~number][::-1]
            found += points[1:] if found else points
        return found

    return [
        ring(numbers)
        for shape in world["objects"]["land"]["geometries"]
        for polygon in (shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]])
        for numbers in polygon
    ]


def grid(found: list[list[tuple[float, float]]]) -> Any:
    """True where land is: inside a shape by the even-odd rule, on its edge, or beside such a cell."""
    land = np.zeros((ROWS, COLUMNS), dtype=bool)
    middles = (np.arange(ROWS) + 0.5) / CELLS_PER_DEGREE - 90
    columns = (np.arange(COLUMNS) + 0.5) / CELLS_PER_DEGREE - 180
    edges = [(a, b) for one in found for a, b in zip(one, one[1:] + one[:1], strict=True)]
    ends = np.array([[*a, *b] for a, b in edges])
    for row, lat in enumerate(middles):
        crossing = ends[(ends[:, 1] <= lat) != (ends[:, 3] <= lat)]
        share = (lat - crossing[:, 1]) / (crossing[:, 3] - crossing[:, 1])
        lngs = np.sort(crossing[:, 0] + share * (crossing[:, 2] - crossing[:, 0]))
        land[row] = np.searchsorted(lngs, columns) % 2 == 1
    for x1, y1, x2, y2 in ends:
        steps = max(2, int(max(abs(x2 - x1), abs(y2 - y1)) * CELLS_PER_DEGREE * 2) + 1)
        lats = ((np.linspace(y1, y2, steps) + 90) * CELLS_PER_DEGREE).astype(int).clip(0, ROWS - 1)
        lngs = ((np.linspace(x1, x2, steps) + 180) * CELLS_PER_DEGREE).astype(int) % COLUMNS
        land[lats, lngs] = True
    wide = land.copy()
    for rows in (-1, 0, 1):
        for sideways in (-1, 0, 1):
            moved = np.roll(np.roll(land, rows, axis=0), sideways, axis=1)
            # Around the world sideways, but not from pole to pole.
            moved[-1 if rows < 0 else 0] &= rows == 0
            wide |= moved
    return wide


def main() -> None:
    """Write the grid."""
    land = grid(rings(json.loads(SOURCE.read_text())))
    FILE.write_bytes(zlib.compress(np.packbits(land.ravel(), bitorder="little").tobytes(), 9))
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size} bytes, {land.mean():.0%} land")


if __name__ == "__main__":
    main()
