"""20,000 random carbon chains × allocations of every method: sums exact, nothing negative, replay identical.

    python bench/carbon_property.py [--chains 20000] [--seed 1]

Fails on the first chain with a fault, and prints it. The last line is the figures as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")

from tests.carbon import chains


def main() -> int:
    """Try them all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chains", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    dice, started, elements = random.Random(given.seed), time.perf_counter(), 0
    for number in range(given.chains):
        case = chains.case(dice)
        elements += len(case["elements"])
        if found := chains.faults(case):
            print(json.dumps(case, indent=1), found, sep="\n")
            print(json.dumps({"chains": number, "faults": len(found)}))
            return 1
    seconds = time.perf_counter() - started
    figures = {"chains": given.chains, "elements": elements, "faults": 0, "seconds": round(seconds, 1)}
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
