"""What a decision was made from, as one short text: request, nodes and rates, so that it can be made again.

Fields are written by position under a list of their names and read by their annotations, so what is read
equals what was written, to the last digit. Only what the engine can look at is kept: the stock, prices and
bans of the order's own SKUs.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from routing.engine.model import Lane, Levy, Need, Node, Request, Strategy

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Request, Need, Node, Lane, Strategy, Levy)}
_NAMES = {name: [field.name for field in fields(kind)] for name, kind in _KINDS.items()}
_VALUES = {name: attrgetter(*names) for name, names in _NAMES.items()}
_AT = {name: at for at, name in enumerate(_NAMES["Node"])}
_LANE = "\t".join(["%s"] * len(_NAMES["Lane"]))
_QUICK = 1  # zlib level: level 6 takes three times as long for a tenth fewer bytes
Json = Any
Shapes = Mapping[str, Sequence[str]]


class Inputs(NamedTuple):
    """The arguments of `engine.decide.decide`."""

    request: Request
    nodes: tuple[Node, ...]
    strategy: Strategy


class Writer:
    """Writes the inputs of the decisions of one batch, whose orders share most lanes; each is written once."""

    def __init__(self) -> None:
        self._lanes: dict[int, tuple[Lane, Json]] = {}
        self._encoder = json.JSONEncoder(separators=(",", ":"), default=self._plain)

    def dump(self, request: Request, nodes: Sequence[Node], strategy: Strategy) -> str:
        """The inputs of one decision as ASCII text; take it before the stock it names is taken."""
        units: dict[int, int] = {}
        for need in request.needs:
            units[need.sku_id] = units.get(need.sku_id, 0) + need.quantity
        rows = [_trimmed(node, units) for node in nodes]
        text = self._encoder.encode([_NAMES, request, rows, strategy])
        return b64encode(zlib.compress(text.encode(), _QUICK)).decode()

    def _plain(self, value: Any) -> Json:
        kind = type(value)
        if kind is Decimal:
            return str(value)
        if kind is Lane:
            # By identity: comparing all fields costs as much as writing them. The lane is held, so its id stays.
            known = self._lanes.get(id(value))
            if known is None:
                known = self._lanes[id(value)] = (value, _lane(value))
            return known[1]
        if kind.__name__ in _KINDS:
            return _VALUES[kind.__name__](value)
        if isinstance(value, (set, frozenset)):
            return sorted(value)
        if isinstance(value, Mapping):
            return dict(value)
        raise TypeError(f"{kind.__name__} is not kept of a decision")


def load(text: str) -> Inputs:
    """What `dump` was given; fields the engine has got since have their defaults, lost ones are left out."""
    shapes, request, nodes, strategy = json.loads(zlib.decompress(b64decode(text)))
    return Inputs(
        _made("Request", request, shapes),
        tuple(_made("Node", node, shapes) for node in nodes),
        _made("Strategy", strategy, shapes),
    )


# ---- writing -------------------------------------------------------------------------------------


def _trimmed(node: Node, units: Mapping[int, int]) -> list[Any]:
    """The fields of the node without the stock, prices and bans of SKUs the order does not want."""
    found = list(_VALUES["Node"](node))
    found[_AT["stock"]] = {sku: node.stock[sku] for sku in units if sku in node.stock}
    found[_AT["stock_price"]] = {
        sku: _first(node.stock_price[sku], count) for sku, count in units.items() if sku in node.stock_price
    }
    if node.banned_skus:
        found[_AT["banned_skus"]] = node.banned_skus & units.keys()
    return found


def _first(price: Any, count: int) -> Any:
    """A curve as far as the order can go along it."""
    return price[:count] if isinstance(price, tuple) and len(price) > count else price


def _lane(lane: Lane) -> Json:
    """A lane as one text, a tenth of the time of a list; as a list where one of its texts has a tab."""
    values = _VALUES["Lane"](lane)
    text = _LANE % values
    return text if text.count("\t") == len(values) - 1 else list(values)


# ---- reading -------------------------------------------------------------------------------------


def _made(name: str, row: Json, shapes: Shapes) -> Any:
    kind = _KINDS[name]
    if isinstance(row, str):
        row = [None if text == "None" else text for text in row.split("\t")]
    known = {field.name: field for field in fields(kind)}
    given = dict(zip(shapes[name], row, strict=True))
    return kind(**{key: _field(known[key], plain, shapes) for key, plain in given.items() if key in known})


def _field(field: Field[Any], plain: Json, shapes: Shapes) -> Any:
    """One field's value by its annotation, which is text in the engine's model."""
    said = str(field.type)
    if plain is None:
        return "None" if said.startswith("str") else None
    for name in _KINDS:
        if f"tuple[{name}" in said:
            return tuple(_made(name, row, shapes) for row in plain)
    if said.startswith("Mapping"):
        key_of = str if said.startswith("Mapping[str") else int
        return {key_of(key): _leaf(one, said) for key, one in plain.items()}
    if said.startswith("frozenset"):
        return frozenset(plain)
    return _leaf(plain, said)


def _leaf(plain: Json, said: str) -> Any:
    if isinstance(plain, list):
        return tuple(_leaf(one, said) for one in plain)
    if not isinstance(plain, str) or "Decimal" not in said:
        return int(plain) if isinstance(plain, str) and said.startswith("int") else plain
    return Decimal(plain)
