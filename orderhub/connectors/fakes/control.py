"""The control interface under /_world/: faults, chance, records, states, and what buyers, warehouses, carriers do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from orderhub.connectors.fakes.faults import PUSH_KINDS, REQUEST_KINDS, Unknown
from orderhub.connectors.fakes.universe import Universe
from orderhub.connectors.fakes.wire import Answer, Garbled, Request, Tree, answer_json

#: Names under which this server is reached; another one is a web page that guesses.
HOSTS = ("127.0.0.1", "localhost", "[::1]")


async def answer(universe: Universe, request: Request) -> Answer:
    """Do what is asked; what is wrong is said with 400."""
    # Neither a page in a browser on this machine nor a name that points here may steer the world.
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in HOSTS:
        return answer_json({"error": f"Use one of the names {', '.join(HOSTS)}."}, 403)
    if request.method != "GET" and "json" not in request.headers.get("content-type", ""):
        return answer_json({"error": "Send JSON with content-type: application/json."}, 415)
    parts = request.path.strip("/").split("/")[1:]
    try:
        return answer_json(await _work(universe, request, parts))
    except (Unknown, Garbled, ValueError, TypeError, KeyError) as trouble:
        return answer_json({"error": str(trouble) or type(trouble).__name__}, 400)


async def _work(universe: Universe, request: Request, parts: list[str]) -> Any:
    name = parts[0] if parts else ""
    args = request.json if request.body else {}
    if request.method == "GET":
        return _read(universe, request, parts)
    if name in universe.vendors and len(parts) == 2:
        return universe.vendors[name].act(parts[1], args)
    works: dict[str, Callable[[Universe, Tree], Awaitable[Any]]] = {
        "faults": _faults, "chance": _chance, "callbacks": _callbacks, "settings": _settings, "clock": _clock,
        "automatic": _automatic, "settle": _settle, "reset": _reset, "forget": _forget, "clear": _clear,
    }  # fmt: skip
    if name not in works:
        raise Unknown(
            f"There is no /_world/{'/'.join(parts)}. There are: {', '.join(works)}, <vendor>/<action>."
        )
    return await works[name](universe, args)


def _read(universe: Universe, request: Request, parts: list[str]) -> Any:
    name, query = parts[0] if parts else "", request.query
    window = (
        query.get("vendor", ""), query.get("operation", ""), int(query.get("after", 0)), int(query.get("limit", 1000)),
    )  # fmt: skip
    if name == "":
        return universe.tell()
    if name == "received":
        return universe.journal.tell_received(*window)
    if name == "pushed":
        return universe.journal.tell_sent(*window)
    if name == "state":
        return universe.vendor(parts[1]).state() if len(parts) > 1 else {
            code: vendor.state() for code, vendor in universe.vendors.items()
        }  # fmt: skip
    if name == "parcels":
        return universe.parcels.state()
    if name == "faults":
        return {"script": universe.faults.script(), "met": dict(universe.faults.counts)}
    if name == "kinds":
        return {"request": REQUEST_KINDS, "push": PUSH_KINDS}
    raise Unknown(f"There is no /_world/{name} to read.")


async def _faults(universe: Universe, args: Tree) -> Any:
    wishes = args.get("faults", [args])
    for wish in wishes:
        if wish.get("vendor", "*") != "*":
            universe.vendor(str(wish["vendor"]))
    return [universe.faults.add(wish).tell() for wish in wishes]


async def _clear(universe: Universe, args: Tree) -> Any:
    universe.faults.clear(str(args.get("vendor", "*")), str(args.get("kind", "*")))
    return universe.faults.script()


async def _chance(universe: Universe, args: Tree) -> Any:
    universe.faults.chance(
        float(args["probability"]),
        seed=args.get("seed"),
        kinds=args.get("kinds", ()),
        vendors=args.get("vendors", ()),
        spare=args.get("spare", {}),
        haste=float(args.get("haste", 1.0)),
    )
    return {"probability": universe.faults.probability, "kinds": sorted(universe.faults.kinds)}


async def _callbacks(universe: Universe, args: Tree) -> Any:
    universe.set_callback(str(args["url"]), str(args.get("vendor", "")))
    return universe.callbacks


async def _settings(universe: Universe, args: Tree) -> Any:
    vendor = universe.vendor(str(args.get("vendor", "")))
    new = {name: value for name, value in args.items() if name != "vendor"}
    if strange := new.keys() - vendor.settings.keys():
        raise Unknown(
            f"{vendor.code} has no setting {sorted(strange)}; it has: {', '.join(vendor.settings)}."
        )
    vendor.settings.update(new)
    return vendor.settings


async def _clock(universe: Universe, args: Tree) -> Any:
    if "stamps" in args:
        if args["stamps"] not in {"virtual", "wall", "all"}:
            raise Unknown("stamps is virtual, wall or all.")
        universe.clock.stamps = args["stamps"]
    if "factor" in args:
        universe.clock.set_factor(float(args["factor"]))
    called = universe.clock.advance(float(args.get("advance_seconds", 0)))
    return {"now": universe.clock.now().isoformat(), "factor": universe.clock.factor, "called": called}


async def _automatic(universe: Universe, args: Tree) -> Any:
    if args.pop("on", True):
        universe.automatic.start(**args)
    else:
        universe.automatic.stop()
    return universe.automatic.tell()


async def _settle(universe: Universe, args: Tree) -> Any:
    return {"settled": await universe.courier.settle(min(60.0, float(args.get("timeout_seconds", 10))))}


async def _reset(universe: Universe, _args: Tree) -> Any:
    universe.reset()
    return {"reset": True}


async def _forget(universe: Universe, _args: Tree) -> Any:
    universe.journal.clear()
    return {"forgotten": True}
