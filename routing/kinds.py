"""What routing tells the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

DECIDED = declare(
    "routing.decided",
    zh="已确定发货仓",
    en="Warehouse chosen",
    milestone="ALLOCATED",
    visibility="public",
    fields=["decision", "warehouses", "warehouses_en", "parcels", "total", "kgco2e", "promised_at", "stage"],
)
LEVER_SET = declare(
    "routing.lever_set",
    zh="已对仓库采取措施",
    en="Lever set on a warehouse",
    fields=["warehouse", "lever", "value", "until", "why"],
)
LEVER_ENDED = declare(
    "routing.lever_ended",
    zh="仓库措施已结束",
    en="Lever on a warehouse ended",
    fields=["warehouse", "lever", "value", "until", "why"],
)
WAVE_RELEASED = declare(
    "routing.wave_released",
    zh="拣货波次已下发",
    en="Pick wave released",
    fields=["wave", "releases_at"],
)
STRATEGY_PUBLISHED = declare(
    "routing.strategy_published",
    zh="策略新版本已生效",
    en="Strategy version in force",
    fields=["strategy", "number"],
)
PRICES_SWITCHED = declare(
    "routing.prices_switched", zh="库存价格已开关", en="Stock prices switched", fields=["is_on"]
)
REPORT_MADE = declare(
    "routing.report_made",
    zh="路由效果报告已生成",
    en="Routing report made",
    fields=["report", "kind", "since", "until"],
)
