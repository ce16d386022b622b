"""The node of drawn flows that calls another system: it only notes the wish, the delivery log does the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.connectors.kinds.webhook import kind as webhook
from orderhub.connectors.models import Connection
from orderhub.orders import kinds
from orderhub.orders.flows import nodes
from orderhub.orders.models import Order
from rules.flow import Choice, Context, Param, Verdict, step


def _connections(scope: str) -> list[Choice]:
    """The active webhooks of a merchant; of all of them one for each code."""
    rows = Connection.objects.filter(kind=webhook.NAME, is_active=True).order_by("code", "pk")
    rows = rows.filter(merchant_id=int(scope.removeprefix("merchant:"))) if scope else rows
    return list({row.code: Choice(row.code, row.name, row.name) for row in rows}.values())


@step(
    "flow.webhook", zh="调用外部接口", en="Call another system", group="act", icon="out",
    params=(
        Param("connection", "choice", "连接", "connection", among=_connections),
        Param("operation", "text", "消息名称", "name of the message"),
    ),
)  # fmt: skip
def call(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Record that a webhook is owed a message, once for each order; it is sent, signed and retried from the log."""
    nodes.tell(nodes.once(orders, context), kinds.FLOW_CALLED.name, ("connection", "operation"), context)
    return nodes.all_on(orders)
