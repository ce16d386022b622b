"""The kind of event the fault tests write."""

from __future__ import annotations

from orderhub.events import kinds

kinds.declare("fault.tested", zh="故障测试", en="A fault was tested")
