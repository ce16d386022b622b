"""A partner's receiver of Standard Webhooks: checks signature and age, knows what it has seen, may be gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.vendor import Push, Vendor, epoch
from orderhub.connectors.fakes.wire import JSON_TYPE, Answer, Request, answer_json, dump


class Partner(Vendor):
    """Any path below the prefix takes events; `gone` answers 410 from then on."""

    code = "partner"
    title = "Partner (Standard Webhooks)"
    base_path = "/events"
    actions = ("gone", "send")

    def make_keys(self) -> dict[str, str]:
        """A Standard Webhooks key."""
        return {"secret": self.fake_webhook_key()}

    def reset(self) -> None:
        """Forget all events."""
        self.events: Shelf[dict[str, Any]] = Shelf()
        self.is_gone = False
        self._sent = 0

    def state(self) -> dict[str, Any]:
        """Events by id, each with how often it came."""
        return {"gone": self.is_gone, "events": list(self.events)}

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """410 if gone; 401 for a wrong signature or one older than five minutes."""
        if self.is_gone:
            return self.failure(operation, "gone", "this endpoint is gone").with_status(410)
        headers = request.headers
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if self.settings["check_signature"]:
            wanted = signatures.standard_webhook(self.keys["secret"], message_id, timestamp, request.body)
            if not any(signatures.same(wanted, one) for one in headers.get("webhook-signature", "").split()):
                return self.failure(operation, "signature", "wrong signature").with_status(401)
        moment = epoch(timestamp)
        if self.settings["check_clock"] and (
            moment is None or abs((self.clock.wall() - moment).total_seconds()) > 300
        ):
            return self.failure(operation, "timestamp", "too old or too new").with_status(401)
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """204; an id seen before is counted, not taken in again."""
        message_id = request.headers.get("webhook-id", "")
        known = self.events.get(message_id)
        if known:
            known["times"] += 1
        else:
            self.events.put(message_id, {"id": message_id, "times": 1, "body": request.json})
        return Answer(b"", 204, outcome="repeated" if known else "accepted")

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """A problem in HTTP 200, which is no failure to Standard Webhooks: only the status counts there."""
        return answer_json({"error": code or "failed", "message": message}, outcome="refused")

    def pretend(self, operation: str, request: Request) -> Answer:
        """204 with nothing taken in."""
        return Answer(b"", 204)

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """Standard Webhooks headers."""
        message_id, timestamp = push.headers.get("webhook-id", "msg_0"), str(int(at.timestamp()))
        key = "whsec_" + secret if secret else self.keys["secret"]
        return {}, {
            "webhook-id": message_id, "webhook-timestamp": timestamp,
            "webhook-signature": signatures.standard_webhook(key, message_id, timestamp, push.body),
        }, push.body  # fmt: skip

    def gone(self, is_gone: bool = True) -> bool:
        """Answer 410 from now on, or no longer."""
        self.is_gone = is_gone
        return is_gone

    def send(self, event: dict[str, Any], lane: str = "") -> str:
        """Push a signed event of the partner's own; says its id."""
        self._sent += 1
        message_id = f"msg_{self.around.seed}_{self._sent}"
        kind = str(event.get("type", "event"))
        push = Push(self.code, kind, lane or kind, dump(event), JSON_TYPE, {"webhook-id": message_id})
        self.push(push)
        return message_id
