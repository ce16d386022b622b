"""A factory's production system: takes signed work orders with their components, and tells how far it is, in plain JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault, Unknown
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.vendor import Push, Vendor, epoch
from orderhub.connectors.fakes.wire import JSON_TYPE, Answer, Garbled, Request, answer_json, dump

#: From these states a job may still be taken back.
_STOPPABLE = ("taken", "accepted")
_CARRIER = "sf"


@dataclass
class Job:
    """One work order."""

    number: str
    their_id: str
    lines: list[dict[str, Any]]
    components: list[dict[str, Any]]
    due_at: str = ""
    planned_finish_at: str = ""
    state: str = "taken"
    made: int = 0
    scrap: int = 0
    steps: list[str] = field(default_factory=list)
    creates: int = 1
    told: int = 0

    @property
    def quantity(self) -> int:
        """Units to make."""
        return sum(int(line["qty"]) for line in self.lines)

    def tell(self) -> dict[str, Any]:
        """The job as the control interface shows it."""
        return {
            "number": self.number, "reference": self.their_id, "state": self.state, "due_at": self.due_at,
            "planned_finish_at": self.planned_finish_at, "lines": self.lines, "components": self.components,
            "made": self.made, "scrap": self.scrap, "steps": self.steps, "creates": self.creates,
        }  # fmt: skip


class Mes(Vendor):
    """`/jobs`: create, `/jobs/N` ask, `/jobs/N/change` and `/jobs/N/cancel`; answers at once, or by message (`later`)."""

    code = "mes"
    title = "MES (plain JSON)"
    actions = (
        "accept", "plan", "material", "start", "step", "inspect", "rework", "finish", "pack", "ship", "reject", "reply",
        "jobs",
    )  # fmt: skip

    def default_settings(self) -> dict[str, Any]:
        """`later`: cancels and changes are only taken in; the answer is pushed by the action `reply`. `accepts`: jobs
        are accepted by themselves.
        """
        return {"later": False, "accepts": True}

    def reset(self) -> None:
        """Forget all jobs."""
        self.book: Shelf[Job] = Shelf()
        self._count = 0

    def state(self) -> dict[str, Any]:
        """All jobs."""
        return {"jobs": [job.tell() for job in self.book]}

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs."""
        return [job.tell() for job in self.book]

    # requests

    def peek(self, request: Request) -> str:
        """jobs.create, jobs.query, jobs.change or jobs.cancel."""
        parts = [part for part in request.path.split("/") if part][1:]
        if request.method == "GET":
            return "jobs.query"
        return f"jobs.{parts[2]}" if len(parts) > 2 else "jobs.create"

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """401 for a wrong signature, or one whose time is off."""
        stamp = request.headers.get("x-timestamp", "")
        if self.settings["check_signature"]:
            wanted = signatures.mes(self.keys["secret"], stamp, request.body)
            if not signatures.same(wanted, request.headers.get("x-signature", "")):
                return self.failure(operation, "signature", "wrong signature").with_status(401)
        if self.is_late(epoch(stamp)):
            return self.failure(operation, "timestamp", "too old or too new").with_status(401)
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        if operation == "jobs.create":
            return self._create(request.json)
        number = [part for part in request.path.split("/") if part][2]
        job = self.book.get(number)
        if job is None:
            return answer_json({"ok": False, "message": f"no job {number}"}, 404, outcome="refused")
        if operation == "jobs.query":
            return answer_json(job.tell())
        if operation == "jobs.cancel":
            return self._cancel(job)
        if operation == "jobs.change":
            return self._change(job, request.json)
        return self.failure(operation, "operation", f"no operation {operation}")

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """`ok` false in HTTP 200."""
        return answer_json(
            {"ok": False, "code": code or "failed", "message": message or "not now"}, outcome="refused"
        )

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success that means nothing."""
        return answer_json({"ok": True, "reference": "J-0"})

    # pushes

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """Timestamp and signature in the headers."""
        stamp = str(int(at.timestamp()))
        sign = signatures.mes(secret or self.keys["secret"], stamp, push.body)
        return {}, {"x-timestamp": stamp, "x-signature": sign}, push.body

    # what the factory does

    def accept(self, number: str, planned_at: str = "") -> dict[str, Any]:
        """Accept a job, with a plan of its own."""
        return self._go(number, "accepted", "accepted", planned_at=planned_at)

    def plan(self, number: str, planned_at: str, reason: str = "") -> dict[str, Any]:
        """Plan another finish."""
        return self._go(number, "planned", "", planned_at=planned_at, reason=reason)

    def material(self, number: str) -> dict[str, Any]:
        """Materials are there."""
        return self._go(number, "material", "")

    def start(self, number: str) -> dict[str, Any]:
        """Begin: from now on it cannot be taken back."""
        return self._go(number, "start", "started")

    def step(self, number: str, name: str, good: int, scrap: int = 0) -> dict[str, Any]:
        """A step is done, with so many good units and so many scrapped."""
        self.book.find(number).scrap += int(scrap)
        return self._go(number, "step", "started", step_name=name, qty=int(good), scrap=int(scrap))

    def inspect(
        self, number: str, passed: bool = True, planned_at: str = "", reason: str = ""
    ) -> dict[str, Any]:
        """Inspect; what does not pass is reworked, which may move the plan."""
        return self._go(number, "qc_pass" if passed else "qc_fail", "", planned_at=planned_at, reason=reason)

    def rework(self, number: str) -> dict[str, Any]:
        """Rework begins."""
        return self._go(number, "rework", "")

    def finish(self, number: str, good: int | None = None, scrap: int = 0) -> dict[str, Any]:
        """All that comes of it is made."""
        job = self.book.find(number)
        job.made = job.quantity if good is None else int(good)
        return self._go(number, "finished", "finished", qty=job.made, scrap=int(scrap))

    def pack(self, number: str) -> dict[str, Any]:
        """Pack it."""
        return self._go(number, "packed", "packed")

    def ship(self, number: str, carrier: str = _CARRIER) -> dict[str, Any]:
        """Hand it to a carrier."""
        job = self._move(number, "shipped")
        tracking = f"{carrier.upper()}{self.fake_number(f'parcel/{number}', 12)}"
        body = {"parcels": [{"carrier": carrier, "tracking_number": tracking, "grams": 8000}]}
        self._push(job, "shipment", body)
        self.around.parcels.known(tracking, carrier, reference=number, target="杭州市")
        return {**job.tell(), "tracking_number": tracking}

    def reject(self, number: str, reason: str = "") -> dict[str, Any]:
        """Refuse a job that was taken."""
        return self._go(number, "rejected", "rejected", reason=reason)

    def reply(self, number: str, operation: str, ok: bool = True, message: str = "") -> dict[str, Any]:
        """The answer to a cancel or change that was only taken in."""
        job = self.book.find(number)
        if operation == "cancel" and ok:
            job.state = "cancelled"
        self._push(
            job, "answer", {"operation": operation, "ok": ok, "reference": job.their_id, "message": message}
        )
        return job.tell()

    # inside

    def _create(self, body: dict[str, Any]) -> Answer:
        number, lines = str(body.get("number") or ""), body.get("lines")
        if not number or not isinstance(lines, list) or not lines:
            raise Garbled("number and lines are needed")
        known = self.book.get(number)
        if known is not None:
            known.creates += 1
            answer = answer_json({"ok": True, "reference": known.their_id})
            answer.outcome = "repeated"
            return answer
        self._count += 1
        job = Job(
            number, f"J-{7000 + self._count}", lines, list(body.get("components") or ()), str(body.get("due_at") or ""),
            str(body.get("planned_finish_at") or ""),
        )  # fmt: skip
        self.book.put(number, job)
        if not self.settings["accepts"]:
            return answer_json({"pending": True, "reference": job.their_id}, 202)
        job.state = "accepted"
        return answer_json({"ok": True, "reference": job.their_id})

    def _cancel(self, job: Job) -> Answer:
        if self.settings["later"]:
            return answer_json({"pending": True, "reference": job.their_id}, 202)
        if job.state == "cancelled":
            return answer_json({"ok": True, "reference": job.their_id}, outcome="repeated")
        if job.state not in _STOPPABLE:
            return self.failure("jobs.cancel", "started", "已开工，不能取消")
        job.state = "cancelled"
        return answer_json({"ok": True, "reference": job.their_id})

    def _change(self, job: Job, body: dict[str, Any]) -> Answer:
        if self.settings["later"]:
            return answer_json({"pending": True, "reference": job.their_id}, 202)
        if job.state in ("finished", "packed", "shipped", "cancelled", "rejected"):
            return self.failure("jobs.change", "over", "工单已结束")
        job.due_at = str(body.get("due_at") or job.due_at)
        return answer_json({"ok": True, "reference": job.their_id})

    def _move(self, number: str, state: str) -> Job:
        job = self.book.find(number)
        if job.state in ("cancelled", "rejected"):
            raise Unknown(f"{number} is {job.state}: nothing more is done about it.")
        job.state = state or job.state
        return job

    def _go(self, number: str, step: str, state: str, **more: Any) -> dict[str, Any]:
        job = self._move(number, state)
        job.steps.append(step)
        job.planned_finish_at = more.get("planned_at") or job.planned_finish_at
        self._push(
            job,
            "progress",
            {"step": step, **{name: value for name, value in more.items() if value not in ("", None)}},
        )
        return job.tell()

    def _push(self, job: Job, kind: str, body: dict[str, Any]) -> None:
        job.told += 1
        said = {
            "type": kind, "number": job.number, "at": self.clock.local(), "key": f"{job.their_id}-{job.told}", **body,
        }  # fmt: skip
        self.push(Push(self.code, kind, job.number, dump(said), JSON_TYPE))
