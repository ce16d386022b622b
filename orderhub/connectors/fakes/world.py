"""`World`: the fake vendors as one object for tests and scripts: starts the server in a thread, and steers it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any

import httpx

from orderhub.connectors.fakes.server import Server
from orderhub.connectors.fakes.universe import Universe

START_SECONDS = 10.0


class World:
    """A running world of fake vendors. Use it as a context manager, or call close(); `connect` steers one elsewhere."""

    def __init__(
        self,
        *,
        seed: int = 1,
        port: int = 0,
        callback_url: str = "",
        factor: float = 1.0,
        stamps: str = "virtual",
    ) -> None:
        """Start on 127.0.0.1 (port 0 = a free one). `{vendor}` in the callback address stands for the vendor's code."""
        self._socket: socket.socket | None = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = Server(lambda: Universe(seed, factor, stamps))
        self._thread: threading.Thread | None = threading.Thread(
            target=self._server.run, args=([self._socket],), name="fake-vendors", daemon=True
        )
        self._thread.start()
        self._wait_for_start()
        self._client = _client(self.base_url)
        if callback_url:
            self.callback(callback_url)

    @classmethod
    def connect(cls, base_url: str) -> World:
        """Steer a world that runs elsewhere, for example one of `manage.py fake_vendors`."""
        world = cls.__new__(cls)
        world.base_url, world._socket, world._thread = base_url.rstrip("/"), None, None
        world._client = _client(world.base_url)
        return world

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server, if it is ours."""
        self._client.close()
        if self._thread:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)
        if self._socket:
            self._socket.close()

    # where and how

    def url(self, vendor: str, path: str = "") -> str:
        """The address that a connector to this vendor is given."""
        return f"{self.base_url}{self._vendors[vendor]['path']}{path}"

    def keys(self, vendor: str) -> dict[str, str]:
        """The fake keys that a connector to this vendor is given."""
        return dict(self._vendors[vendor]["keys"])

    def about(self) -> dict[str, Any]:
        """Vendors with addresses and keys, counts, clock."""
        about: dict[str, Any] = self._get("/")
        return about

    def callback(self, url: str, vendor: str = "") -> None:
        """Push to this address: of one vendor, or of all with `{vendor}` for the code."""
        self._post("/callbacks", url=url, vendor=vendor)

    def settings(self, vendor: str, **settings: Any) -> dict[str, Any]:
        """Change settings of a vendor; all of them as they are now."""
        now: dict[str, Any] = self._post("/settings", vendor=vendor, **settings)
        return now

    # misbehavior

    def fault(
        self, kind: str, vendor: str = "*", operation: str = "", *, times: int | None = None, **details: Any
    ) -> None:
        """Put a fault on the script for the next matching requests or pushes (`times` 0 = until cleared). Without an
        operation it is for any, or for the one that the kind is about.
        """
        if operation:
            details["operation"] = operation
        if times is not None:
            details["times"] = times
        self._post("/faults", kind=kind, vendor=vendor, **details)

    def chance(
        self,
        probability: float,
        *,
        seed: int | None = None,
        kinds: tuple[str, ...] = (),
        vendors: tuple[str, ...] = (),
        spare: Mapping[str, Sequence[str]] | None = None,
        haste: float = 1.0,
    ) -> None:
        """Let everything misbehave with a probability; 0 ends it. `spare`: operations that a kind never meets; `haste`:
        what takes seconds takes so many times fewer.
        """
        self._post(
            "/chance", probability=probability, seed=seed, kinds=kinds, vendors=vendors, spare=spare or {}, haste=haste
        )  # fmt: skip

    def outage(
        self, vendor: str, is_on: bool = True, *, mode: str = "reset", seconds: float | None = None
    ) -> None:
        """Take a vendor away, and bring it back; with `seconds` it comes back by itself (virtual time)."""
        if not is_on:
            self.clear_faults(vendor, "outage")
        elif seconds is None:
            self.fault("outage", vendor, mode=mode)
        else:
            self.fault("outage", vendor, mode=mode, seconds=seconds)

    def clear_faults(self, vendor: str = "*", kind: str = "*") -> None:
        """Take faults off the script; all also ends chance."""
        self._post("/clear", vendor=vendor, kind=kind)

    def faults(self) -> dict[str, Any]:
        """What is still on the script, and how many of each kind were met."""
        faults: dict[str, Any] = self._get("/faults")
        return faults

    # what happened

    def received(
        self, vendor: str = "", operation: str = "", *, after: int = 0, limit: int = 20_000
    ) -> list[dict[str, Any]]:
        """Requests received, oldest first: number, operation, body, outcome, status, answer, fault …"""
        rows: list[dict[str, Any]] = self._get(
            "/received", vendor=vendor, operation=operation, after=after, limit=limit
        )
        return rows

    def pushed(
        self, vendor: str = "", operation: str = "", *, after: int = 0, limit: int = 20_000
    ) -> list[dict[str, Any]]:
        """Pushes sent, oldest first: operation, lane, body, posts, status, answer, acked, faults …"""
        rows: list[dict[str, Any]] = self._get(
            "/pushed", vendor=vendor, operation=operation, after=after, limit=limit
        )
        return rows

    def state(self, vendor: str) -> dict[str, Any]:
        """A vendor's documents."""
        state: dict[str, Any] = self._get(f"/state/{vendor}")
        return state

    def parcels(self) -> list[dict[str, Any]]:
        """All parcels."""
        rows: list[dict[str, Any]] = self._get("/parcels")
        return rows

    # what buyers, warehouses and carriers do

    def do(self, vendor: str, action: str, **args: Any) -> Any:
        """Any action of a vendor; raises ValueError with the world's own words if it does not work."""
        return self._post(f"/{vendor}/{action}", **args)

    def place(self, channel: str, **args: Any) -> dict[str, Any]:
        """A buyer places an order (`lines`, `receiver`, `paid`, `review`, `quiet`); the order with its `ext_id`."""
        order: dict[str, Any] = self.do(channel, "place", **args)
        return order

    def change_address(self, channel: str, ext_id: str, **parts: Any) -> dict[str, Any]:
        """A buyer changes the address; on Douyin it is asked for, and the seller must answer."""
        action = "request_address" if channel == "douyin" else "change_address"
        order: dict[str, Any] = self.do(channel, action, ext_id=ext_id, **parts)
        return order

    def cancel(self, channel: str, ext_id: str) -> dict[str, Any]:
        """A buyer cancels."""
        order: dict[str, Any] = self.do(channel, "cancel", ext_id=ext_id)
        return order

    def pick(self, code: str) -> dict[str, Any]:
        """The warehouse picks a delivery order."""
        document: dict[str, Any] = self.do("qimen", "pick", code=code)
        return document

    def pack(self, code: str) -> dict[str, Any]:
        """The warehouse packs it."""
        document: dict[str, Any] = self.do("qimen", "pack", code=code)
        return document

    def ship(self, code: str, **args: Any) -> dict[str, Any]:
        """The warehouse ships it (`parcels`, `items`, `carrier`); its `packages` are tracking numbers."""
        document: dict[str, Any] = self.do("qimen", "ship", code=code, **args)
        return document

    def set_stock(self, warehouse: str, sku: str, quantity: int, *, report: bool = False) -> None:
        """Put goods into the warehouse; told to the other side only if asked."""
        self.do("qimen", "set_stock", warehouse=warehouse, sku=sku, quantity=quantity, report=report)

    def advance_parcel(
        self, number: str, steps: int = 1, to: str = "", *, carrier: str = "kuaidi100"
    ) -> dict[str, Any]:
        """A carrier moves a parcel on: by steps, until a kind of scan, or aside."""
        parcel: dict[str, Any] = self.do(carrier, "advance", number=number, steps=steps, to=to)
        return parcel

    def automatic(self, is_on: bool = True, **pace: Any) -> dict[str, Any]:
        """Let the world live by itself (`channels`, `orders_per_minute`, `pick_seconds` …), or stop that."""
        now: dict[str, Any] = self._post("/automatic", on=is_on, **pace)
        return now

    # time

    def advance(self, seconds: float) -> int:
        """Jump ahead in virtual time; how many things fell due."""
        return int(self._post("/clock", advance_seconds=seconds)["called"])

    def clock(self, **settings: Any) -> dict[str, Any]:
        """Set `factor` or `stamps`; the clock as it is now."""
        now: dict[str, Any] = self._post("/clock", **settings)
        return now

    def settle(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until no push is under way; whether that was reached."""
        return bool(self._post("/settle", timeout_seconds=timeout_seconds)["settled"])

    def reset(self) -> None:
        """Back to the beginning; addresses and settings stay."""
        self._post("/reset")

    # inside

    @cached_property
    def _vendors(self) -> dict[str, dict[str, Any]]:
        vendors: dict[str, dict[str, Any]] = self.about()["vendors"]
        return vendors

    def _wait_for_start(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > end or not (self._thread and self._thread.is_alive()):
                raise RuntimeError("The fake vendors did not start.")
            time.sleep(0.005)

    def _get(self, path: str, **query: Any) -> Any:
        return _read(
            self._client.get(f"/_world{path}", params={name: str(value) for name, value in query.items()})
        )

    def _post(self, path: str, **args: Any) -> Any:
        return _read(self._client.post(f"/_world{path}", json=args))


def _client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, timeout=90.0, trust_env=False)


def _read(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        raise ValueError(answer.json().get("error", answer.text))
    return answer.json()
