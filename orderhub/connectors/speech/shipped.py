"""The profiles that come with the hub: folders of data beside this package."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path

from orderhub.connectors.speech.profile import Profile
from orderhub.connectors.speech.trial import Sample

FOLDER = Path(__file__).resolve().parent.parent / "profiles"


@cache
def codes() -> tuple[str, ...]:
    """The codes of all shipped profiles, sorted."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/profile.json")))


@cache
def load(code: str) -> Profile:
    """A shipped profile; raises KeyError for a code there is not, Faulty for a document with flaws."""
    if code not in codes():
        raise KeyError(code)
    return Profile.parse(json.loads((FOLDER / code / "profile.json").read_text(encoding="utf-8")))


def samples(code: str) -> Sample:
    """What gives the bytes of a profile's sample by its file name."""
    return partial(_sample, code)


def _sample(code: str, name: str) -> bytes:
    path = FOLDER / code / "samples" / name
    if path.name != name or code not in codes() or not path.is_file():
        raise LookupError(f"no sample {name}")
    return path.read_bytes()
