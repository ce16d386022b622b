"""The page about profiles is true: its example works, and its table has every transform and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from orderhub.connectors.speech import calls, profile, signing, transforms, trial
from orderhub.connectors.speech.profile import Profile

TEXT = (Path(__file__).parents[3] / "docs" / "connectors.md").read_text()


def test_the_example_of_the_page_works() -> None:
    found = re.search(r"```json profile\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None

    outcomes = trial.run_all(Profile.parse(json.loads(found[1])))

    assert [(one.name, one.differences) for one in outcomes if not one.ok] == []
    assert len(outcomes) == 3


def test_every_transform_is_explained_with_as_many_arguments_as_it_takes() -> None:
    table = TEXT.split("| transform |")[1].split("\n\n")[0]
    rows = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)` \| ([^|]*)\|", table, re.MULTILINE)}

    assert set(rows) == set(transforms.KNOWN)
    for name, arguments in rows.items():
        said = [one for one in arguments.split(",") if one.strip()]
        assert len(said) == len(transforms.KNOWN[name].args), name
        assert (
            len([one for one in said if "?" not in one]) == transforms.KNOWN[name].needed or name == "mask"
        ), name


def test_every_part_operation_and_rule_of_signing_is_named() -> None:
    for name in (*profile.PARTS, *calls.OPERATIONS, *profile.ROLES, *profile.KINDS, *profile.HOW):
        assert name in TEXT, name
    for name in (*signing.ALGORITHMS, *signing.ENCODINGS, *signing.NAMES):
        assert name in TEXT, name
