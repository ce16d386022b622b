"""Operators' pages of the event center, the words, the templates and the control tower."""

from __future__ import annotations

from tracking.center import admin_review, admin_rules, admin_templates, admin_tower, admin_words

__all__ = ["admin_review", "admin_rules", "admin_templates", "admin_tower", "admin_words"]
