"""AfterShip: trackings made by REST, told by signed updates; its tags are its own."""

from __future__ import annotations

from datetime import UTC, datetime

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.carriers import Carrier, Watch
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, dump

TAGS = {
    "collected": "InTransit", "departed": "InTransit", "arrived": "InTransit", "delivering": "OutForDelivery",
    "signed": "Delivered", "problem": "AttemptFail", "refused": "Exception", "returning": "Exception",
    "returned": "Exception", "intercepted": "Exception", "customs": "InTransit",
}  # fmt: skip


class AfterShip(Carrier):
    """POST /trackings, GET /trackings/<id>; event tracking_update."""

    code = "aftership"
    title = "AfterShip"
    base_path = "/tracking/2024-10"

    def make_keys(self) -> dict[str, str]:
        """API key and webhook secret."""
        return {"api_key": self.fake("api"), "secret": self.fake("secret")}

    def reset(self) -> None:
        """Forget all trackings."""
        super().reset()
        self._events = 0

    def peek(self, request: Request) -> str:
        """create or get."""
        return "trackings.create" if request.method == "POST" else "trackings.get"

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """The API key in its header."""
        given = request.headers.get("as-api-key") or request.headers.get("aftership-api-key", "")
        if self.settings["check_signature"] and not signatures.same(given, self.keys["api_key"]):
            return _answer(401, {}, "Invalid API key.")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Make a tracking (a second one for the number is refused) or show one."""
        if operation == "trackings.get":
            wanted = request.path.rsplit("/", 1)[-1]
            watch = next((one for one in self.watches if wanted in {one.watch_id, one.number}), None)
            if watch is None:
                return _answer(4004, {}, "Tracking does not exist.")
            return _answer(200, self._tracking(watch, self.around.parcels.find(watch.number)))
        wish = request.json.get("tracking") or request.json
        number = str(wish.get("tracking_number", ""))
        if not number:
            return _answer(4013, {}, "`tracking_number` is required.")
        known = self.watches.get(number)
        if known:
            answer = _answer(
                4003, {"id": known.watch_id, "tracking_number": number}, "Tracking already exists."
            )
            answer.outcome = "repeated"
            return answer
        watch = self.watch(number, str(wish.get("slug", "")))
        return _answer(201, self._tracking(watch, self.around.parcels.find(number)))

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """A code of failure in HTTP 200."""
        tree = {
            "meta": {"code": int(code) if code.isdigit() else 5000, "message": message or "Internal error."},
            "data": {},
        }
        return answer_json(tree, outcome="refused")

    def pretend(self, operation: str, request: Request) -> Answer:
        """A tracking that nobody keeps."""
        return _answer(201, {"id": "none", "tag": "Pending", "checkpoints": []})

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """HMAC over the body, under both names that its documents give."""
        sign = signatures.body_hmac(secret or self.keys["secret"], push.body)
        return {}, {"aftership-hmac-sha256": sign, "as-signature-hmac-sha256": sign}, push.body

    def tell_scan(self, watch: Watch, parcel: Parcel, scan: Scan) -> None:
        """An update with the whole tracking."""
        self._events += 1
        event = {
            "event": "tracking_update", "event_id": f"{self.around.seed:08d}-{self._events:012d}",
            "is_tracking_first_tag": len(parcel.scans) == 1, "msg": self._tracking(watch, parcel),
            "ts": int(self.clock.wall().timestamp()),
        }  # fmt: skip
        self.push(Push(self.code, "tracking_update", parcel.number, dump(event)))

    def _tracking(self, watch: Watch, parcel: Parcel) -> Tree:
        last = parcel.scans[-1].at if parcel.scans else parcel.created_at
        return {
            "id": watch.watch_id, "tracking_number": parcel.number, "slug": watch.carrier or "usps",
            "tag": TAGS[parcel.scans[-1].kind] if parcel.scans else "Pending", "subtag": "",
            "created_at": parcel.created_at.astimezone(UTC).isoformat(timespec="seconds"),
            "updated_at": last.astimezone(UTC).isoformat(timespec="seconds"), "order_id": parcel.reference,
            "checkpoints": [
                {
                    "slug": watch.carrier or "usps", "tag": TAGS[scan.kind], "message": scan.remark, "location": scan.place,
                    "city": scan.place, "checkpoint_time": scan.at.astimezone(UTC).isoformat(timespec="seconds"),
                }
                for scan in parcel.scans
            ],
        }  # fmt: skip


def _answer(code: int, data: Tree, message: str = "") -> Answer:
    status = code if code < 1000 else int(str(code)[:1] + "00") if code != 4004 else 404
    return answer_json({"meta": {"code": code, "message": message}, "data": data}, status,
                       "accepted" if code < 300 else "refused")  # fmt: skip
