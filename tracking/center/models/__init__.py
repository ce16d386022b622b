"""The tables of the event center, the templates and the control tower."""

from tracking.center.models.meanings import Meaning, ToldEvent, UnknownCode, UnknownUse
from tracking.center.models.templates import Calendar, CalendarDay, JourneyTemplate, OrderPlan, TemplateStep
from tracking.center.models.vocabulary import MilestoneKind, Sentence
from tracking.center.models.watching import Alert, Expectation, LaneTime, StallRule, Standing

__all__ = [
    "Alert", "Calendar", "CalendarDay", "Expectation", "JourneyTemplate", "LaneTime", "Meaning", "MilestoneKind",
    "OrderPlan", "Sentence", "StallRule", "Standing", "TemplateStep", "ToldEvent", "UnknownCode", "UnknownUse",
]  # fmt: skip
