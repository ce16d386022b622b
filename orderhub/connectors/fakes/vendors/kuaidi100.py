"""Kuaidi100: subscribe once, then every push is the full history, newest first; retried three times at 30 minutes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.carriers import Carrier, Watch
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.parcels import Parcel, Scan
from orderhub.connectors.fakes.vendor import Push
from orderhub.connectors.fakes.wire import (
    FORM_TYPE,
    Answer,
    Garbled,
    Request,
    Tree,
    answer_json,
    dump,
    read_json,
)

#: status text and state of each kind of scan.
WORDS = {
    "collected": ("揽收", "1"), "departed": ("在途", "0"), "arrived": ("在途", "0"), "delivering": ("派件", "5"),
    "signed": ("签收", "3"), "problem": ("疑难", "2"), "refused": ("拒签", "14"), "returning": ("退回", "6"),
    "returned": ("退签", "4"), "intercepted": ("转投", "7"), "customs": ("清关", "8"),
}  # fmt: skip


class Kuaidi100(Carrier):
    """/poll subscribes, /poll/query.do asks."""

    code = "kuaidi100"
    title = "Kuaidi100"
    base_path = "/poll"
    push_attempts = 4
    push_gap_seconds = 1800.0

    def default_settings(self) -> dict[str, Any]:
        """`correct_carrier`: another code than was subscribed, told as comNew."""
        return {"correct_carrier": ""}

    def make_keys(self) -> dict[str, str]:
        """Key, customer, and the salt that pushes without one of their own are signed with."""
        return {"key": self.fake("key"), "customer": self.fake("customer", 12), "salt": self.fake("salt")}

    def peek(self, request: Request) -> str:
        """query or subscribe."""
        return "query" if request.path.endswith("query.do") else "subscribe"

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Subscriptions carry the key, queries a signature."""
        if not self.settings["check_signature"]:
            return None
        text = request.form.get("param", "")
        if operation == "query":
            wanted = signatures.kuaidi100_query(self.keys["key"], self.keys["customer"], text)
            if not signatures.same(wanted, request.form.get("sign", "")):
                return self.failure(operation, "503", "验证签名失败")
        elif not signatures.same(str(_param(text).get("key", "")), self.keys["key"]):
            return self.failure(operation, "600", "您不是合法的订阅者（即授权Key出错）")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Subscribe or query."""
        param = _param(request.form.get("param", ""))
        if operation == "query":
            return self._query(param)
        number, company = str(param.get("number", "")), str(param.get("company", ""))
        if not number or not company:
            return self.failure(
                operation, "700", "订阅方的订阅数据存在错误（如不支持的快递公司、单号为空、单号超长等）"
            )
        more = param.get("parameters") or {}
        phone = str(more.get("phone", ""))
        if company == "shunfeng" and not phone:
            return self.failure(operation, "700", "顺丰单号需要手机号")
        if number in self.watches:
            return self.failure(operation, "501", "重复订阅")
        self.watch(
            number, company, url=str(more.get("callbackurl", "")), salt=str(more.get("salt", "")), phone=phone
        )
        return answer_json({"result": True, "returnCode": "200", "message": "提交成功"})

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """`result` false in HTTP 200."""
        tree = {"result": False, "returnCode": code or "500", "message": message or "服务器错误"}
        return answer_json(tree, outcome="repeated" if code == "501" else "refused")

    def pretend(self, operation: str, request: Request) -> Answer:
        """Success with nothing subscribed."""
        return answer_json({"result": True, "returnCode": "200", "message": "提交成功"})

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """A form: the parameter, and its MD5 with the salt."""
        sign = signatures.kuaidi100_push(secret or push.secret or self.keys["salt"], push.body.decode())
        return {}, {}, urlencode({"sign": sign, "param": push.body.decode()}).encode()

    def acked(self, status: int, body: bytes) -> bool:
        """`result` true counts."""
        try:
            return status == 200 and read_json(body).get("result") is True
        except Garbled:
            return False

    def tell_scan(self, watch: Watch, parcel: Parcel, scan: Scan) -> None:
        """The whole history so far."""
        ended = parcel.ended
        corrected = str(self.settings["correct_carrier"])
        tree = {
            "status": "shutdown" if ended else "polling", "billstatus": "check" if ended else "got", "message": "",
            "autoCheck": "1" if corrected else "0", "comOld": watch.carrier if corrected else "", "comNew": corrected,
            "lastResult": self._result(parcel, corrected or watch.carrier),
        }  # fmt: skip
        push = Push(
            self.code,
            "history",
            parcel.number,
            dump(tree),
            FORM_TYPE,
            url=watch.url,
            secret=watch.salt or None,
        )
        self.push(push)

    def _query(self, param: Tree) -> Answer:
        parcel = self.around.parcels.get(str(param.get("num", "")))
        if parcel is None or not parcel.scans:
            return self.failure("query", "500", "查询无结果，请隔段时间再查")
        return answer_json(self._result(parcel, str(param.get("com", ""))))

    def _result(self, parcel: Parcel, carrier: str) -> Tree:
        nodes = [
            {
                "time": self.clock.local(scan.at), "ftime": self.clock.local(scan.at), "context": scan.remark,
                "areaCode": "CN000000000000", "areaName": scan.place, "status": WORDS[scan.kind][0],
            }
            for scan in reversed(parcel.scans)
        ]  # fmt: skip
        state = WORDS[parcel.scans[-1].kind][1] if parcel.scans else "0"
        return {
            "message": "ok", "nu": parcel.number, "ischeck": "1" if parcel.ended else "0", "com": carrier,
            "status": "200", "state": state, "data": nodes,
        }  # fmt: skip


def _param(text: str) -> Tree:
    try:
        return read_json(text)
    except Garbled:
        return {}
