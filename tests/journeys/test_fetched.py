"""A warehouse that only writes CSV files and a carrier that only leaves EDIFACT: an order is shipped and delivered by files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.speech import shipped
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders.models import Order
from tests import make
from tests.connectors import wired
from tests.connectors.ways import cast
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def _connect(code: str, **config: Any) -> Connection:
    """A connection of a shipped profile that fetches files."""
    row = Connection.objects.create(
        merchant=make.merchant(), code=code.replace("_", "-"), name=code, kind="profile", profile=wired.shipped_profile(code),
        config={"files_on": True, **config},
    )  # fmt: skip
    cast.turns.prepare(row, now=cast.clock.now())
    return row


def test_an_order_is_shipped_and_delivered_by_files_alone(
    hub_clock: make.Clock, settings: Any, tmp_path: Path
) -> None:
    settings.DROP_DIR = tmp_path / "drop"
    settings.DROP_DIR.mkdir()
    make.network()
    Connection.objects.update(is_active=False)  # the make-believe warehouse would answer too
    warehouse, carrier = _connect("generic_files"), _connect("edifact_iftsta", carrier="sf")
    theirs, far = (cast.folder(settings.DROP_DIR, row) for row in (warehouse, carrier))
    make.place(make.draft("A1"))
    make.run_until_idle()
    work = FulfillmentOrder.objects.get()

    # The warehouse tells of the shipment; its program writes the same file once more an hour later.
    head = "number,event,at,carrier,tracking_number,grams,sku,qty"
    at = hub_clock.advance(hours=2)
    row = f"{work.number},ship,{at:%Y-%m-%dT%H:%M:%S}+00:00,sf,SF-77,860,LAMP,1"
    for name in ("done-1.csv", "done-1 (copy).csv"):
        cast.put(theirs, name, f"{head}\n{row}\n")
        cast.look(hub_clock)
        make.run_until_idle()
    assert Parcel.objects.get().tracking_number == "SF-77"
    assert make.fresh(Order.objects.get()).stage == "shipped"

    # The carrier's interchange has a parcel that nobody knows; ours arrives all the same.
    at = hub_clock.advance(hours=20)
    text = shipped.samples("edifact_iftsta")("iftsta_d07b_with_ung.edi").decode()
    text = text.replace("1Z00000000000001", "SF-77").replace("20261112173746", f"{at:%Y%m%d%H%M%S}")
    cast.put(far, "IFTSTA.edi", text)
    cast.look(hub_clock)
    make.run_until_idle()

    assert make.fresh(Order.objects.get()).stage == "delivered"
    (stranger,) = InboxMessage.objects.filter(state=InboxMessage.State.WAITING)
    assert stranger.faults[0]["code"] == "unknown_parcel"
    assert [path.name for path in sorted(far.glob("done/*/*"))] == ["IFTSTA.edi"]
    assert_all_hold()
    replay.assert_told(Order.objects.get())
