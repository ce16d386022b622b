"""What factories tell of the things they make to order; all of it is told in the order's own stream."""

from __future__ import annotations

from orderhub.events.kinds import declare

ACCEPTED = declare(
    "production.accepted", zh="工厂已接单", en="Accepted by the factory",
    fields=["fulfillment", "warehouse"],
)  # fmt: skip
MATERIAL = declare(
    "production.material_received", zh="原材料已到货", en="Materials have arrived", milestone="MATERIAL_RECEIVED",
    visibility="public", fields=["fulfillment", "warehouse", "reason"],
)  # fmt: skip
STARTED = declare(
    "production.started", zh="已开始生产", en="Production has started", milestone="PRODUCTION_STARTED",
    visibility="public", fields=["fulfillment", "warehouse", "stage"],
)  # fmt: skip
STEP_DONE = declare(
    "production.step_done", zh="一道工序已完成", en="A production step is finished", milestone="PRODUCTION_STEP",
    visibility="public", fields=["fulfillment", "warehouse", "step", "good", "scrap"],
)  # fmt: skip
QC_PASSED = declare(
    "production.qc_passed", zh="质检合格", en="Passed quality inspection", milestone="QC_PASSED", visibility="public",
    fields=["fulfillment", "warehouse"],
)  # fmt: skip
QC_FAILED = declare(
    "production.qc_failed", zh="质检未通过", en="Did not pass quality inspection", milestone="QC_FAILED",
    visibility="public", fields=["fulfillment", "warehouse", "reason"],
)  # fmt: skip
REWORK = declare(
    "production.rework_started", zh="正在返工", en="Being reworked",
    fields=["fulfillment", "warehouse", "reason"],
)  # fmt: skip
FINISHED = declare(
    "production.finished", zh="生产完成", en="Production is finished", milestone="PRODUCTION_FINISHED",
    visibility="public", fields=["fulfillment", "warehouse", "good", "scrap"],
)  # fmt: skip
RESCHEDULED = declare(
    "production.rescheduled", zh="生产计划有调整", en="Production dates have changed", milestone="PLAN_MOVED",
    visibility="public",
    fields=["fulfillment", "warehouse", "planned_before", "planned_finish_at", "reason", "eta_from", "eta_to"],
)  # fmt: skip
COMPONENTS_SHORT = declare(
    "production.components_short", zh="零部件不足", en="Components are short",
    fields=["fulfillment", "warehouse", "components", "detail"],
)  # fmt: skip
COMPONENTS_COMPLETE = declare(
    "production.components_complete", zh="零部件已备齐", en="All components are there",
    fields=["fulfillment", "warehouse"],
)  # fmt: skip
CHANGE_REQUESTED = declare(
    "production.change_requested", zh="已请工厂调整", en="Factory asked to change",
    fields=["fulfillment", "warehouse", "due_at", "reason"],
)  # fmt: skip
STALLED = declare(
    "production.stalled", zh="已过计划完工时间，工厂没有消息", en="Beyond the planned finish, and no word from the factory",
    fields=["fulfillment", "warehouse", "planned_finish_at"],
)  # fmt: skip
