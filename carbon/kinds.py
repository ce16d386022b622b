"""What can happen to carbon figures beside the life of an order."""

from __future__ import annotations

from orderhub.events.kinds import declare

ACTIVITY_TAKEN = declare(
    "carbon.activity_taken", zh="收到活动数据", en="Activity data received", fields=["record", "kind"]
)
FACTORS_ACTIVATED = declare(
    "carbon.factors_activated", zh="因子集已启用", en="Factor set activated", fields=["set"]
)
PERIOD_CLOSED = declare(
    "carbon.period_closed", zh="碳核算期已关账", en="Carbon period closed", fields=["month", "number", "root"]
)
PERIOD_REOPENED = declare(
    "carbon.period_reopened",
    zh="碳核算期已重新打开",
    en="Carbon period reopened",
    fields=["month", "number", "reason"],
)
GREEN_CHOSEN = declare(
    "carbon.green_chosen",
    zh="已选择合并配送",
    en="Consolidated delivery chosen",
    fields=["source", "pool", "average_kg", "marginal_kg", "baseline", "promised_at"],
)
POOL_RELEASED = declare(
    "carbon.pool_released",
    zh="合并池已放行",
    en="Consolidation pool released",
    fields=["pool", "orders", "saved_kg"],
)
