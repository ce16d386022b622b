"""Thompson sampling of carriers, and what its log says of other ways of choosing, against the simulated truth.

    python bench/offpolicy.py [--runs 20] [--parcels 6000]

Lanes with four carriers whose real cost differs from the quoted one. Judged from the log: believing quotes, the cheapest
tariff, the best carrier in hindsight, and a mixture. Where an estimate is given it is held against the truth. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.house import end_with
from routing.learning.engine.carriers import Belief, choose
from routing.learning.engine.offpolicy import Evaluation, Logged, evaluate

LANES, CARRIERS = 12, 4


def run(seed: int, parcels: int) -> tuple[float, list[tuple[str, float, Evaluation]]]:
    """Regret in yuan per parcel, and (name, truth, evaluation) of each other way."""
    random = np.random.default_rng(seed)
    quoted = random.uniform(18, 24, (LANES, CARRIERS))
    real = quoted + random.normal(0, 1.0, quoted.shape)
    beliefs = [[Belief(quote, 3.0) for quote in lane] for lane in quoted.tolist()]
    log, lanes = [], random.integers(0, LANES, parcels).tolist()
    spent = 0.0
    for lane in lanes:
        choice = choose(beliefs[lane], random)
        yuan = float(random.normal(real[lane, choice.chosen], 2.5))
        beliefs[lane][choice.chosen] = beliefs[lane][choice.chosen].after(yuan)
        log.append(Logged(str(lane), choice.chosen, choice.propensities, yuan))
        spent += float(real[lane, choice.chosen] - real[lane].min())
    ways = {
        "believe quotes": np.eye(CARRIERS)[quoted.argmin(axis=1)], "best": np.eye(CARRIERS)[real.argmin(axis=1)],
        "dearest quote": np.eye(CARRIERS)[quoted.argmax(axis=1)],
        "mixture": 0.7 * np.eye(CARRIERS)[real.argmin(axis=1)] + 0.3 * np.eye(CARRIERS)[quoted.argmin(axis=1)],
    }  # fmt: skip
    found = []
    for name, shares in ways.items():
        truth = float(np.mean([(shares[lane] * real[lane]).sum() for lane in lanes]))
        found.append((name, truth, evaluate(log, [shares[lane].tolist() for lane in lanes])))
    return spent / parcels, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--parcels", type=int, default=6000)
    given = parser.parse_args()
    began = time.perf_counter()
    runs = [run(seed, given.parcels) for seed in range(given.runs)]
    told = [one for _regret, found in runs for one in found]
    answers = [
        (truth, one.dr, one.snips)
        for _name, truth, one in told
        if one.dr is not None and one.snips is not None
    ]
    for name in dict.fromkeys(name for name, _truth, _one in told):
        mine = [one for each, _truth, one in told if each == name]
        print(f"{name:16s} answered {sum(one.dr is not None for one in mine)} of {len(mine)}", flush=True)
    end_with(
        worst_dr_error=round(max(abs(dr / truth - 1) for truth, dr, _snips in answers), 5),
        worst_snips_error=round(max(abs(snips / truth - 1) for truth, _dr, snips in answers), 5),
        answered=len(answers), refused=len(told) - len(answers),
        regret_yuan_per_parcel=round(float(np.mean([regret for regret, _found in runs])), 4),
        seconds=round(time.perf_counter() - began, 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
