"""An ERP that speaks Kingdee K3 Cloud: bills with states, a number only once, change orders for audited bills."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderhub.connectors.fakes import signatures
from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.vendor import Push, Vendor, epoch
from orderhub.connectors.fakes.wire import Answer, Request, Tree, answer_json, read_json

CREATED, SUBMITTED, AUDITED, REAUDIT = "A", "B", "C", "D"
ORDER, CHANGE_ORDER = "SAL_SaleOrder", "SAL_XORDER"
_NUMBER_FILTER = re.compile(r"FBillNo\s*=\s*'([^']*)'", re.IGNORECASE)

#: What the vendor mixes the secret with in an application id.
_MASK = b"0054f397c6234378b09ca7d3e5debce7"


@dataclass
class Bill:
    """One bill; `status` is A created, B submitted, C audited, D to be audited again."""

    number: str
    bill_id: int
    form: str
    model: Tree
    status: str = CREATED
    saved: int = 1
    closed: bool = False
    canceled: bool = False
    #: A change order's bill, and how often a bill was changed by one.
    changes: str = ""
    version: int = 1
    history: list[str] = field(default_factory=list)

    def tell(self) -> dict[str, Any]:
        """The bill in short."""
        return {
            "number": self.number, "id": self.bill_id, "form": self.form, "status": self.status, "saved": self.saved,
            "canceled": self.canceled, "closed": self.closed, "version": self.version, "changes": self.changes,
            "model": self.model,
        }  # fmt: skip


class Refusal(Exception):
    """The ERP says no, with the field it blames."""

    def __init__(self, message: str, field_name: str = "") -> None:
        super().__init__(message)
        self.field_name = field_name


class Kingdee(Vendor):
    """Operations: Save, Submit, Audit, UnAudit, View, Delete, ExcuteOperation, ExecuteBillQuery, SaveXSaleOrder."""

    code = "kingdee"
    title = "Kingdee K3 Cloud ERP"
    base_path = "/k3cloud"
    actions = ("bill", "audit_by_hand", "close_by_hand", "unaudit_by_hand")

    def default_settings(self) -> dict[str, Any]:
        """`known_skus`: materials there are; empty = all."""
        return {"known_skus": []}

    def make_keys(self) -> dict[str, str]:
        """Application id and secret, account set. As with the real one, the second half of the id hides the secret."""
        raw = self._digest("secret")
        hidden = bytes(byte ^ mask for byte, mask in zip(raw, _MASK, strict=True))
        return {
            "app_id": f"{self.fake_number('app', 6)}_{base64.b64encode(hidden).decode()}",
            "secret": base64.b64encode(raw).decode(),
            "acct_id": self.fake("account", 16),
        }

    def reset(self) -> None:
        """Forget all bills."""
        self.bills: Shelf[Bill] = Shelf()
        self._next_id = 100_000

    def state(self) -> dict[str, Any]:
        """All bills."""
        return {"bills": [bill.tell() for bill in self.bills]}

    def peek(self, request: Request) -> str:
        """The last word before `.common.kdsvc`, or before the assembly that some services are named with."""
        service = request.path.rsplit("/", 1)[-1].partition(",")[0]
        return service.removesuffix(".common.kdsvc").rsplit(".", 1)[-1]

    def refuse(self, request: Request, operation: str) -> Answer | None:
        """Check the signature headers; like all else, a refusal comes in HTTP 200."""
        headers = request.headers
        timestamp, nonce = headers.get("x-api-timestamp", ""), headers.get("x-api-nonce", "")
        if self.settings["check_signature"]:
            if headers.get("x-api-clientid", "") != self.keys["app_id"].partition("_")[0]:
                return self.failure(operation, "", "X-Api-ClientID 无效")
            wanted = signatures.kingdee(self.keys["secret"], request.path, nonce, timestamp)
            if not signatures.same(wanted, headers.get("x-api-signature", "")):
                return self.failure(operation, "", "X-Api-Signature 签名验证失败")
        if self.is_late(epoch(timestamp)):
            return self.failure(operation, "", "x-api-timestamp 已过期")
        return None

    def answer(self, operation: str, request: Request, fault: Fault | None) -> Answer:
        """Do what is asked; a Refusal becomes a failure in HTTP 200."""
        works: dict[str, Callable[[Tree, Tree], object]] = {
            "Save": self._save, "Submit": self._submit, "Audit": self._audit, "UnAudit": self._unaudit,
            "View": self._view, "Delete": self._delete, "ExcuteOperation": self._operate,
            "ExecuteBillQuery": self._query, "SaveXSaleOrder": self._change,
        }  # fmt: skip
        work = works.get(operation)
        if work is None:
            return Answer(b"Not Found", 404, "text/plain", outcome="refused")
        try:
            return answer_json(work(request.json, _data(request.json)))
        except Refusal as refusal:
            return self._refused(str(refusal), refusal.field_name)

    def failure(self, operation: str, code: str, message: str) -> Answer:
        """IsSuccess false in HTTP 200."""
        return self._refused(message or "系统繁忙", "")

    def pretend(self, operation: str, request: Request) -> Answer:
        """IsSuccess true for a bill that is not there."""
        number = str(_data(request.json).get("Model", {}).get("FBillNo", ""))
        return answer_json(_success(Bill(number, 0, "", {})))

    def dress(
        self, push: Push, at: datetime, secret: str | None
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """This ERP pushes nothing."""
        return {}, {}, push.body

    # what people in the ERP do

    def bill(self, number: str) -> dict[str, Any]:
        """One bill in short."""
        return self.bills.find(number).tell()

    def audit_by_hand(self, number: str) -> dict[str, Any]:
        """Somebody audits a bill."""
        found = self.bills.find(number)
        found.status = AUDITED
        return found.tell()

    def unaudit_by_hand(self, number: str) -> dict[str, Any]:
        """Somebody takes an audit back."""
        found = self.bills.find(number)
        found.status = REAUDIT
        return found.tell()

    def close_by_hand(self, number: str) -> dict[str, Any]:
        """Somebody closes a bill: nothing about it changes any more."""
        found = self.bills.find(number)
        found.closed = True
        return found.tell()

    # inside

    def _save(self, body: Tree, data: Tree) -> Tree:
        model = data.get("Model")
        if not isinstance(model, dict):
            raise Refusal("Model 不能为空", "Model")
        form = str(body.get("formid") or data.get("FormId") or ORDER)
        number = str(model.get("FBillNo") or "")
        self._check_materials(model)
        existing = self.bills.get(number)
        asked_id = int(model.get("FID") or 0)
        if existing and asked_id != existing.bill_id:
            raise Refusal(f"违反字段唯一性要求：编码[{number}]在当前系统中已经被使用。", "FBillNo")
        if existing:
            self._update(existing, model)
            bill = existing
        elif asked_id:
            raise Refusal("数据不存在，可能已被删除", "FID")
        else:
            bill = self._new(number, form, model)
        if data.get("IsAutoSubmitAndAudit") in {True, "true", "True"}:
            self._audited(bill)
        return _success(bill)

    def _new(self, number: str, form: str, model: Tree) -> Bill:
        self._next_id += 1
        bill = Bill(number or f"XSDD{self._next_id:06d}", self._next_id, form, copy.deepcopy(model))
        self.bills.put(bill.number, bill)
        return bill

    def _update(self, bill: Bill, model: Tree) -> None:
        if bill.closed or bill.canceled:
            raise Refusal("单据已关闭或作废，不能修改")
        if bill.status in {SUBMITTED, AUDITED}:
            raise Refusal("单据已审核或审核中，不能修改，请通过变更单修改", "FDocumentStatus")
        bill.model = {**bill.model, **copy.deepcopy(model)}
        bill.saved += 1

    def _check_materials(self, model: Tree) -> None:
        known = set(self.settings["known_skus"])
        for name, rows in model.items() if known else ():
            for row in rows if name.endswith("Entry") and isinstance(rows, list) else ():
                code = str((row.get("FMaterialId") or {}).get("FNumber", ""))
                if code not in known:
                    raise Refusal(f"物料编码[{code}]不存在", "FMaterialId")

    def _submit(self, _body: Tree, data: Tree) -> Tree:
        bills = self._named(data)
        for bill in bills:
            if bill.status not in {CREATED, REAUDIT}:
                raise Refusal(f"单据[{bill.number}]不是创建状态，不能提交")
        for bill in bills:
            bill.status = SUBMITTED
        return _success(*bills)

    def _audit(self, _body: Tree, data: Tree) -> Tree:
        bills = self._named(data)
        for bill in bills:
            if bill.status != SUBMITTED:
                raise Refusal(f"单据[{bill.number}]未提交，不能审核")
        for bill in bills:
            self._audited(bill)
        return _success(*bills)

    def _audited(self, bill: Bill) -> None:
        bill.status = AUDITED
        original = self.bills.get(bill.changes)
        if original:
            # A change order that is audited changes its order.
            own = {name: value for name, value in bill.model.items() if name not in {"FID", "FBillNo"}}
            original.model = {**original.model, **own}
            original.version += 1

    def _unaudit(self, _body: Tree, data: Tree) -> Tree:
        bills = self._named(data)
        for bill in bills:
            if bill.status != AUDITED or bill.closed:
                raise Refusal(f"单据[{bill.number}]未审核或已关闭，不能反审核")
        for bill in bills:
            bill.status = REAUDIT
        return _success(*bills)

    def _delete(self, _body: Tree, data: Tree) -> Tree:
        bills = self._named(data)
        for bill in bills:
            if bill.status in {SUBMITTED, AUDITED}:
                raise Refusal(f"单据[{bill.number}]已审核，不能删除")
        for bill in bills:
            self.bills.drop(bill.number)
        return _success(*bills)

    def _operate(self, body: Tree, data: Tree) -> Tree:
        name = str(body.get("opNumber", ""))
        bills = self._named(data)
        for bill in bills:
            if name == "BillClose":
                bill.closed = True
            elif name == "Cancel" and bill.status in {CREATED, REAUDIT}:
                bill.canceled = True
            elif name == "Cancel":
                raise Refusal(f"单据[{bill.number}]已审核，不能作废")
            elif name == "UnCancel":
                bill.canceled = False
            elif name == "BillUnClose":
                bill.closed = False
            else:
                raise Refusal(f"操作[{name}]不存在")
        return _success(*bills)

    def _view(self, _body: Tree, data: Tree) -> Tree:
        number, bill_id = str(data.get("Number") or ""), str(data.get("Id") or "")
        bill = self.bills.get(number) or next(
            (one for one in self.bills if str(one.bill_id) == bill_id), None
        )
        if bill is None:
            raise Refusal("传递的编码值不存在", "Number")
        inner = {
            "Id": bill.bill_id, "BillNo": bill.number, "DocumentStatus": bill.status, "CloseStatus": "B" if bill.closed else "A",
            "CancelStatus": "B" if bill.canceled else "A", "VersionNo": f"{bill.version:03d}", **bill.model,
        }  # fmt: skip
        return {"Result": {"ResponseStatus": {"IsSuccess": True, "Errors": []}, "Result": inner}}

    def _query(self, _body: Tree, data: Tree) -> list[list[object]]:
        named = _NUMBER_FILTER.search(str(data.get("FilterString", "")))
        keys = [key.strip() for key in str(data.get("FieldKeys", "FID,FBillNo")).split(",")]
        bill = self.bills.get(named.group(1)) if named else None
        found = [bill] if bill else [] if named else list(self.bills)[: int(data.get("Limit") or 2000)]
        return [[_field(bill, key) for key in keys] for bill in found]

    def _change(self, body: Tree, data: Tree) -> Tree:
        args = body.get("saveXSaleOrderArgs") or data
        args = read_json(args) if isinstance(args, str) else args
        model = data.get("Model") or args.get("Model") or {}
        number = str(args.get("SaleOrderBillNo") or model.get("FBillNo") or "")
        order = self.bills.get(number)
        if order is None:
            raise Refusal(f"销售订单[{number}]不存在", "SaleOrderBillNo")
        if order.status != AUDITED:
            raise Refusal(f"销售订单[{number}]未审核，不能变更", "SaleOrderBillNo")
        if order.closed or order.canceled:
            raise Refusal(f"销售订单[{number}]已关闭，不能变更", "SaleOrderBillNo")
        change_number = f"{number}_V{order.version + 1:03d}"
        change = self.bills.get(change_number) or self._new(
            change_number, CHANGE_ORDER, copy.deepcopy(order.model)
        )
        change.changes = number
        change.model.update(
            {"FBillNo": change_number, **{key: value for key, value in model.items() if key != "FBillNo"}}
        )
        if model:
            # With the new content in the same call it takes effect at once; else Save, Submit and Audit follow.
            self._audited(change)
        return {"IsSuccess": True, "Message": "", **_success(change)}

    def _named(self, data: Tree) -> list[Bill]:
        numbers = data.get("Numbers") or []
        names = [numbers] if isinstance(numbers, str) else [str(one) for one in numbers]
        ids = [one for one in str(data.get("Ids") or "").split(",") if one]
        names += [bill.number for bill in self.bills if str(bill.bill_id) in ids] if ids else []
        found = [bill for name in names if (bill := self.bills.get(name))]
        if not found or len(found) < len(names):
            raise Refusal("单据不存在，可能已被删除", "Numbers")
        return found

    def _refused(self, message: str, field_name: str) -> Answer:
        status = {
            "ErrorCode": 500, "IsSuccess": False,
            "Errors": [{"FieldName": field_name, "Message": message, "DIndex": 0}],
            "SuccessEntitys": [], "SuccessMessages": [], "MsgCode": 11,
        }  # fmt: skip
        return answer_json({"Result": {"ResponseStatus": status}}, outcome="refused")


def _data(body: Tree) -> Tree:
    """`data` as an object: its clients send it as one or as JSON text."""
    data = body.get("data", body)
    return read_json(data) if isinstance(data, str) else data if isinstance(data, dict) else {}


def _success(*bills: Bill) -> Tree:
    rows = [{"Id": bill.bill_id, "Number": bill.number, "DIndex": index} for index, bill in enumerate(bills)]
    status = {"IsSuccess": True, "Errors": [], "SuccessEntitys": rows, "SuccessMessages": [], "MsgCode": 0}
    first: Tree = {"Id": bills[0].bill_id, "Number": bills[0].number} if bills else {}
    return {"Result": {"ResponseStatus": status, **first}}


def _field(bill: Bill, key: str) -> object:
    known = {
        "FID": bill.bill_id,
        "FBillNo": bill.number,
        "FDocumentStatus": bill.status,
        "FVersionNo": bill.version,
    }
    value = known.get(key, bill.model.get(key, ""))
    return value if isinstance(value, (str, int, float)) else json.dumps(value, ensure_ascii=False)
