"""Bundled factors in the database: every one once, drafts as drafts, figures in use immutable."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from carbon import demo, importer, services
from carbon.core.bundle import bundled_factors
from carbon.core.rounding import exact
from carbon.models import Factor, FactorSet
from orderhub.kernel.errors import Refused
from tests import make

pytestmark = pytest.mark.django_db


def test_every_bundled_factor_is_loaded_once() -> None:
    loaded = importer.import_bundled(now=make.NOW)

    assert loaded == Factor.objects.count() == len(bundled_factors()) == 1742
    assert importer.import_bundled(now=make.NOW) == 0
    assert services.ensure_factors(now=make.NOW) == 0
    for row in Factor.objects.select_related("factor_set"):
        bundled = bundled_factors()[row.factor_id]
        figures = [None if kg is None else exact(kg) for kg in (bundled.ttw, bundled.wtt, bundled.total)]
        assert [row.ttw, row.wtt, row.total] == figures
        assert row.unit == bundled.unit
        assert row.factor_set.status == bundled.status


def test_every_set_names_its_license_and_source_file() -> None:
    demo.seed(make.merchant(), now=make.NOW)

    for row in FactorSet.objects.all():
        assert row.licence
        assert row.attribution or "public notice" in row.licence
        assert len(row.file_sha256) == 64
        assert row.redistributable
    licences = Counter(FactorSet.objects.values_list("licence", flat=True))
    assert licences["OGL-UK-3.0"] >= 8
    assert any("CC-BY-4.0" in licence for _publisher, licence, _text in importer.attribution())


def test_the_china_row_that_is_a_draft_keeps_no_province_from_use() -> None:
    services.ensure_factors(now=make.NOW)

    province = Factor.objects.select_related("factor_set").get(
        factor_id="cn-mee-2023/electricity/cn-zj/location/kwh"
    )
    assert province.factor_set.status == "active"
    assert FactorSet.objects.filter(code__startswith="cn-mee", status="draft").count() == 1


def test_figures_in_use_are_immutable_and_drafts_are_not() -> None:
    services.ensure_factors(now=make.NOW)
    used = Factor.objects.filter(factor_set__status="active")[0]
    used.total = Decimal(1)

    for change in (used.save, used.delete, used.factor_set.save, used.factor_set.delete):
        with pytest.raises(Refused) as refusal:
            change()
        assert refusal.value.code == "factor_set_in_use"

    draft = Factor.objects.filter(factor_set__status="draft")[0]
    draft.note = "checked"
    draft.save()
    draft.factor_set.status = "retired"
    draft.factor_set.save(update_fields=["status"])
    with pytest.raises(Refused):
        draft.save()
