"""The codes of refusals are a contract: all are listed, in both languages, where a problem's type points."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from orderhub.access import problems
from orderhub.management import problem_codes


@pytest.mark.parametrize(
    ("name", "written"),
    [(problem_codes.PAGE, problem_codes.page), (problem_codes.CATALOG, problem_codes.catalog)],
)
def test_the_lists_of_codes_are_the_recorded_ones(name: str, written: object) -> None:
    recorded = (Path(settings.BASE_DIR) / name).read_text("utf-8")

    assert callable(written)
    assert written() == recorded, "after a new code: python manage.py snapshots"


def test_every_code_says_what_is_wrong() -> None:
    assert [one.code for one in problem_codes.declared() if not one.title] == []


def test_codes_of_the_frame_and_of_services_are_found() -> None:
    found = {one.code: one.status for one in problem_codes.declared()}

    assert found["parse_error"] == 400
    assert found["unknown_sku"] == 400
    assert found["idempotency_key_reused"] == 409


@pytest.mark.parametrize(
    ("language", "title"), [("zh-hans", "请求有错误。"), ("en", "The request has errors.")]
)
def test_the_page_of_the_problems_has_an_anchor_for_each_code(language: str, title: str) -> None:
    page = Client(headers={"Accept-Language": language}).get(problems.PAGE)

    assert page.status_code == 200
    text = page.content.decode()
    assert title in text
    assert [one.code for one in problem_codes.declared() if f'id="{one.code}"' not in text] == []
