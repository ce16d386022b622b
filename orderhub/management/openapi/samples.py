"""Values that look true for any schema: by the name of a field, else by its type."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

#: What a field of that name holds in examples.
NAMED: dict[str, Any] = {
    "id": 1001, "external_id": "SO-20261122-0001", "number": "OH-1001", "channel": "api", "currency": "CNY",
    "country": "CN", "province": "浙江省", "city": "杭州市", "district": "西湖区", "address": "文三路 90 号 3 幢 501 室",
    "name": "王芳", "name_en": "Fang Wang", "phone": "13800000001", "postcode": "310012", "sku": "LAMP", "quantity": 1,
    "unit_price": "159.0000", "line_total": "159.00", "goods_total": "159.00", "total": "159.00", "discount": "0.00",
    "discount_total": "0.00", "warehouse": "HGH", "carrier": "tongda", "tracking_number": "TD2000000001",
    "grams": 1500, "latitude": "30.25000", "longitude": "120.17000", "lat": 30.25, "lng": 120.17, "page_size": 50,
    "prefix": "ohk_Zx81", "key": "ohk_shown-only-this-once", "actor": "api:erp", "kind": "orders",
    "hash": "9f2c51e0a4", "code": "HGH", "price": "159.00", "order_number": "SO-20261122-0001", "email": "",
    "time_zone": "Asia/Shanghai", "dialect": "generic", "encoding": "utf-8", "hs_code": "940520", "category": "lamps",
    "next": None, "previous": None, "cutoff_at": "16:00:00", "reason": "", "on_hand": 100, "reserved": 1, "safety": 0,
    "available": 99, "count": 1, "note": "", "extra": {}, "facts": {}, "payload": {}, "errors_left_out": 0,
    "tracking_url": "https://hub.example/t/8Yk2/", "errors_url": "https://hub.example/api/v1/imports/7/errors/",
    "token": "8Yk2vQ", "import": 7, "version": 3,
}  # fmt: skip
_FORMATS: dict[str, Any] = {
    "date-time": "2026-11-22T10:00:00+08:00", "date": "2026-11-22", "time": "16:00:00", "uuid":
    "7b0c3f4e-5d0a-4f43-9f0e-2a1d6f1f9c11", "uri": "https://hub.example/", "decimal": "1.00", "binary": "orders.csv",
}  # fmt: skip
_DEEPEST = 12


class Sampler:
    """Samples the schemas of one document."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self.schemas = schemas

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself: what a reference, or the only one of several, stands for."""
        while True:
            if "$ref" in schema:
                schema = self.schemas[schema["$ref"].rpartition("/")[2]]
            elif any(key in schema for key in ("allOf", "oneOf", "anyOf")):
                schema = {**(schema.get("allOf") or schema.get("oneOf") or schema["anyOf"])[0]}
            else:
                return schema

    def sample(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """A value that the schema accepts."""
        plain = self.resolve(schema)
        if depth > _DEEPEST:
            return None
        if plain.get("enum"):
            return plain.get("default", plain["enum"][0])
        kind = plain.get("type", "object" if "properties" in plain else "")
        known = NAMED.get(name)
        if name in NAMED and self._fits(known, plain, nullable=bool(schema.get("nullable"))):
            return known
        if kind == "object":
            return self._object(plain, depth)
        if kind == "array":
            return [self.sample(plain.get("items", {}), name, depth + 1)]
        return self._scalar(plain, kind)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        found = {
            name: self.sample(inner, name, depth + 1) for name, inner in schema.get("properties", {}).items()
        }
        more = schema.get("additionalProperties")
        if not found and isinstance(more, dict) and more:
            return {"1": self.sample(more, "", depth + 1)}
        return found

    def _scalar(self, schema: Schema, kind: str) -> Any:
        if kind == "string":
            if schema.get("format") in _FORMATS:
                return _FORMATS[schema["format"]]
            if "pattern" in schema:
                if schema["pattern"] == "^[0-9a-f]{64}$":
                    return "0" * 64  # a hash
                return (
                    "0.50"
                    if schema["pattern"].startswith("^-?\\d")
                    else "CN"
                    if "{2}" in schema["pattern"]
                    else "CNY"
                )
            return "text"[: schema.get("maxLength", 4)].ljust(schema.get("minLength", 0), "x")
        if kind == "integer":
            return max(1, schema.get("minimum", 1))
        if kind == "number":
            return max(1.5, schema.get("minimum", 0))
        return True if kind == "boolean" else {}

    @staticmethod
    def _fits(value: Any, schema: Schema, *, nullable: bool) -> bool:
        if value is None:
            return nullable or bool(schema.get("nullable"))
        kinds: dict[str, Any] = {"string": str, "integer": int, "object": dict, "number": (int, float)}
        kind = kinds.get(schema.get("type", ""))
        if kind is None or not isinstance(value, kind):
            return False
        if schema.get("format") == "uuid" or (schema.get("minLength", 0) > 0 and value == ""):
            return False
        return not isinstance(value, str) or len(value) <= schema.get("maxLength", len(value))
