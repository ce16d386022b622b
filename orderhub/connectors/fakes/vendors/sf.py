"""SF Express: routes are pushed and can be asked for, a parcel can be intercepted until it is being delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.carriers import Carrier, Watch
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.vendor import Push, epoch
from orderhub.connectors.fakes.wire import (
    FORM_TYPE,
    JSON_TYPE,
    Answer,
    Garbled,
    Request,
    Tree,
    answer_json,
    dump,
    read_json,
)

OP_CODES = {
    "collected": "50", "departed": "30", "arrived": "31", "delivering": "44", "signed": "80", "problem": "33",
    "refused": "70", "returning": "99", "returned": "648", "intercepted": "77", "customs": "204",
}  # fmt: skip
TOO_LATE = ("delivering", "signed", "returned")


class Declined(Exception):
    """SF says no, with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Sf(Carrier):
    """EXP_RECE_SEARCH_ROUTES, EXP_RECE_REGISTER_ROUTE, EXP_RECE_WANTED_INTERCEPT, EXP_RECE_UPDATE_ORDER."""

    code = "sf"
    title = "SF Express"
    base_path = "/std/service"

    def default_settings(self) -> dict[str, Any]:
        """`push_as`: json (signature in the headers) or form; `watch_all`: push routes of all its parcels unasked."""
        return {"push_as": "json", "watch_all": True}

    def make_keys(self) -> dict[str, str]:
        """Partner id and check word."""
        return {"partner_id": self.fake("partner", 8), "secret": self.fake("checkword")}

    def peek(self, request: Request) -> str:
        """The service if it stands in the query."""
        return request.query.get("serviceCode", "")

    def operation(self, request: Request) -> str:
        """The service."""
        return request.form.get("serviceCode", "") or self.peek(request)

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Check partner, digest and time (milliseconds)."""
        form = request.form
        stamp = form.get("timestamp", "")
        if self.settings["check_signature"]:
            if form.get("partnerID") != self.keys["partner_id"]:
                return _api_error("A1004", "无对应服务权限")
            wanted = signatures.sf(self.keys["secret"], form.get("msgData", ""), stamp)
            if not signatures.same(wanted, form.get("msgDigest", "")):
                return _api_error("A1006", "数字签名无效")
        if self.is_late(epoch(stamp, 0.001 if len(stamp) > 10 else 1.0)):
            return _api_error("A1007", "时间戳无效")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked."""
        works: dict[str, Callable[[Tree], object]] = {
            "EXP_RECE_SEARCH_ROUTES": self._routes, "EXP_RECE_REGISTER_ROUTE": self._register,
            "EXP_RECE_WANTED_INTERCEPT": self._intercept, "EXP_RECE_UPDATE_ORDER": self._update,
        }  # fmt: skip
        work = works.get(operation)
        if work is None:
            return _api_error("A1004", "无对应服务权限")
        try:
            return _result(work(read_json(request.form.get("msgData", ""))))
        except Declined as declined:
            return self.failure(operation, declined.code, str(declined))

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """`success` false inside the JSON text inside HTTP 200."""
        data = {
            "success": False,
            "errorCode": code or "S0001",
            "errorMsg": message or "系统异常",
            "msgData": None,
        }
        return _api(data, "refused")

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing done."""
        return _result({})

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """JSON with the digest in headers, or a form with it in a field."""
        stamp = str(int(at.timestamp() * 1000))
        digest = signatures.sf(secret or self.keys["secret"], push.body.decode(), stamp)
        if push.content_type == FORM_TYPE:
            form = {
                "partnerID": self.keys["partner_id"],
                "timestamp": stamp,
                "msgDigest": digest,
                "msgData": push.body.decode(),
            }
            return {}, {}, urlencode(form).encode()
        return {}, {"msgdigest": digest, "timestamp": stamp}, push.body

    def acked(self, status: int, body: bytes) -> bool:
        """`return_code` 0000 counts."""
        try:
            return status == 200 and read_json(body).get("return_code") == "0000"
        except Garbled:
            return False

    def on_scan(self, parcel: Parcel, scan: Scan) -> None:
        """Its own parcels are told unasked."""
        watch = self.watches.get(parcel.number)
        if watch is None and self.settings["watch_all"] and parcel.carrier.upper() in {"SF", "SHUNFENG"}:
            watch = self.watch(parcel.number, parcel.carrier)
        if watch:
            self.tell_scan(watch, parcel, scan)

    def tell_scan(self, watch: Watch, parcel: Parcel, scan: Scan) -> None:
        """One route node."""
        body = dump({"Body": {"WaybillRoute": [self._node(parcel, scan)]}})
        kind = FORM_TYPE if self.settings["push_as"] == "form" else JSON_TYPE
        self.push(Push(self.code, "route", parcel.number, body, kind))

    def _node(self, parcel: Parcel, scan: Scan) -> Tree:
        return {
            "id": str(900_000_000_000 + scan.number), "mailno": parcel.number, "orderid": parcel.reference,
            "acceptTime": self.clock.local(scan.at), "acceptAddress": scan.place, "remark": scan.remark,
            "opCode": OP_CODES[scan.kind], "reasonCode": "", "reasonName": "",
        }  # fmt: skip

    def _register(self, asked: Tree) -> Tree:
        number = str(asked.get("attributeNo") or asked.get("waybillNo") or "")
        if not number:
            raise Declined("1001", "运单号不能为空")
        self.watch(number, "SF", phone=str(asked.get("checkPhoneNo", "")))
        return {"attributeNo": number}

    def _routes(self, asked: Tree) -> Tree:
        numbers = asked.get("trackingNumber") or asked.get("mailNo") or []
        rows = []
        for number in [numbers] if isinstance(numbers, str) else numbers:
            parcel = self.around.parcels.get(str(number))
            nodes = [self._node(parcel, scan) for scan in parcel.scans] if parcel else []
            rows.append({"mailNo": str(number), "routes": nodes})
        return {"routeResps": rows}

    def _intercept(self, asked: Tree) -> Tree:
        parcel = self.around.parcels.get(str(asked.get("waybillNo", "")))
        if parcel is None:
            raise Declined("8252", "运单号不存在")
        if parcel.scans and parcel.scans[-1].kind in TOO_LATE:
            raise Declined("8253", "快件已派送，不能拦截")
        if parcel.intercepted and not asked.get("cancel"):
            return {"waybillNo": parcel.number}
        parcel.intercepted = not asked.get("cancel")
        parcel.new_address = json.dumps(asked.get("newDestAddress") or {}, ensure_ascii=False)
        self.around.parcels.advance(parcel.number, to="intercepted")
        return {"waybillNo": parcel.number}

    def _update(self, asked: Tree) -> Tree:
        number = str(
            (asked.get("waybillNoInfoList") or [{}])[0].get("waybillNo", "") or asked.get("waybillNo", "")
        )
        parcel = self.around.parcels.get(number)
        if str(asked.get("dealType", "")) == "2" and parcel and parcel.scans:
            raise Declined("8037", "已揽收，不能取消")
        return {"orderId": str(asked.get("orderId", "")), "resStatus": 2}


def _result(data: object) -> Answer:
    return _api({"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": data}, "accepted")


def _api(data: Tree, outcome: str) -> Answer:
    return answer_json({
        "apiErrorMsg": "", "apiResponseID": "fake", "apiResultCode": "A1000",
        "apiResultData": json.dumps(data, ensure_ascii=False), "apiTimestamp": str(int(datetime.now(UTC).timestamp() * 1000)),
    }, outcome=outcome)  # fmt: skip


def _api_error(code: str, message: str) -> Answer:
    return answer_json({"apiErrorMsg": message, "apiResponseID": "fake", "apiResultCode": code, "apiResultData": None},
                       outcome="refused")  # fmt: skip
