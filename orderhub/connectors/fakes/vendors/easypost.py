"""EasyPost trackers: made by REST, told by signed events that carry the whole history."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.carriers import Carrier, Watch
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, dump

STATUS = {
    "collected": "in_transit", "departed": "in_transit", "arrived": "in_transit", "delivering": "out_for_delivery",
    "signed": "delivered", "problem": "failure", "refused": "failure", "returning": "return_to_sender",
    "returned": "return_to_sender", "intercepted": "in_transit", "customs": "in_transit",
}  # fmt: skip


class EasyPost(Carrier):
    """POST /trackers, GET /trackers/<id>; event tracker.updated."""

    code = "easypost"
    title = "EasyPost"
    base_path = "/v2"
    push_attempts = 6

    def make_keys(self) -> dict[str, str]:
        """API key, and a webhook secret with a letter that must be normalized."""
        return {"api_key": self.fake("api"), "secret": self.fake("secret") + "-é"}

    def reset(self) -> None:
        """Forget all trackers."""
        super().reset()
        self._events = 0

    def peek(self, request: Request) -> str:
        """create or get."""
        return "trackers.create" if request.method == "POST" else "trackers.get"

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """The API key as basic authorization or bearer."""
        scheme, _blank, code = request.headers.get("authorization", "").partition(" ")
        given = code
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(code).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if self.settings["check_signature"] and not signatures.same(given, self.keys["api_key"]):
            return self.failure(
                operation, "APIKEY.INACTIVE", "This api key is no longer active."
            ).with_status(401)
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Make a tracker (once for a number and carrier) or show one."""
        if operation == "trackers.get":
            tracker = request.path.rsplit("/", 1)[-1]
            watch = next((one for one in self.watches if tracker in {_id(one), one.number}), None)
            if watch is None:
                return self.failure(
                    operation, "NOT_FOUND", "The requested resource could not be found."
                ).with_status(404)
            return answer_json(self._tracker(watch, self.around.parcels.find(watch.number)))
        wish = request.json.get("tracker") or request.json
        number = str(wish.get("tracking_code", ""))
        if not number:
            return self.failure(operation, "PARAMETER.REQUIRED", "Missing required parameter.").with_status(
                422
            )
        known = self.watches.get(number)
        watch = known or self.watch(number, str(wish.get("carrier", "")))
        answer = answer_json(self._tracker(watch, self.around.parcels.find(number)), 201)
        answer.outcome = "repeated" if known else "accepted"
        return answer

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """An error object."""
        return answer_json({"error": {"code": code or "INTERNAL_SERVER_ERROR", "message": message or "failed", "errors": []}},
                           outcome="refused")  # fmt: skip

    def pretend(self, operation: str, request: Request) -> Answer:
        """A tracker that nobody keeps."""
        return answer_json(
            {"id": "trk_none", "object": "Tracker", "status": "unknown", "tracking_details": []}, 201
        )

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """HMAC with the normalized secret."""
        return (
            {},
            {"x-hmac-signature": signatures.easypost(secret or self.keys["secret"], push.body)},
            push.body,
        )

    def tell_scan(self, watch: Watch, parcel: Parcel, scan: Scan) -> None:
        """An event with the tracker as it is now."""
        self._events += 1
        before = parcel.scans[-2].kind if len(parcel.scans) > 1 else ""
        event = {
            "id": f"evt_{self._events:032d}", "object": "Event", "mode": "test", "description": "tracker.updated",
            "previous_attributes": {"status": STATUS.get(before, "pre_transit")}, "result": self._tracker(watch, parcel),
        }  # fmt: skip
        self.push(Push(self.code, "tracker.updated", parcel.number, dump(event)))

    def _tracker(self, watch: Watch, parcel: Parcel) -> Tree:
        status = STATUS[parcel.scans[-1].kind] if parcel.scans else "pre_transit"
        last = parcel.scans[-1].at if parcel.scans else parcel.created_at
        return {
            "id": _id(watch), "object": "Tracker", "mode": "test", "tracking_code": parcel.number, "status": status,
            "status_detail": "status_update", "created_at": _utc(parcel.created_at), "updated_at": _utc(last),
            "signed_by": None, "weight": None, "est_delivery_date": None, "shipment_id": None,
            "carrier": watch.carrier or "USPS", "is_return": status == "return_to_sender", "finalized": True,
            "tracking_details": [
                {
                    "object": "TrackingDetail", "message": scan.remark, "description": "", "status": STATUS[scan.kind],
                    "status_detail": "status_update", "datetime": _utc(scan.at), "source": watch.carrier or "USPS",
                    "carrier_code": "", "tracking_location": {
                        "object": "TrackingLocation", "city": scan.place, "state": None, "country": None, "zip": None,
                    },
                }
                for scan in parcel.scans
            ],
        }  # fmt: skip


def _id(watch: Watch) -> str:
    return f"trk_{watch.watch_id}"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
