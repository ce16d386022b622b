"""The house keeps its shape: layers, foreign keys, placed packages; and the checks themselves can fail."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("orderhub", "rules", "routing", "tracking", "carbon")
#: From bottom to top; a foreign key may only point to the same or a lower place.
ORDER = (
    "rules",
    "access",
    "events",
    "inventory",
    "orders",
    "risk",
    "compliance",
    "fulfillment",
    "connectors",
    "carbon",
    "routing",
    "tracking",
    "center",
)


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)


def _copy(target: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__", "static", "data", "locale*", "*.pyc")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, target / package, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", target / "pyproject.toml")
    return target


def test_every_contract_is_kept_and_a_planted_violation_of_each_sort_is_caught(tmp_path: Path) -> None:
    house = _copy(tmp_path)
    clean = _lint(house)
    assert clean.returncode == 0, clean.stdout[-3000:]

    planted = {
        "orderhub/kernel/planted.py": "import django\n",
        "orderhub/orders/planted.py": "from routing import models\n",
        "orderhub/inventory/planted.py": "from orderhub.orders import models\n",
        "routing/planted.py": "from tracking import models\n",
    }
    for name, text in planted.items():
        (house / name).write_text(text)
    (house / "orderhub/stray").mkdir()
    (house / "orderhub/stray/__init__.py").write_text("")
    broken = _lint(house)

    assert broken.returncode != 0
    for trace in ("orderhub.kernel.planted", "orderhub.orders.planted", "orderhub.inventory.planted",
                  "routing.planted", "orderhub.stray"):  # fmt: skip
        assert trace in broken.stdout, f"{trace} went unseen:\n{broken.stdout[-3000:]}"


def test_every_package_of_the_project_is_under_the_contracts() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tops = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert tops == set(config["tool"]["importlinter"]["root_packages"])


def test_foreign_keys_point_down() -> None:
    place = {label: number for number, label in enumerate(ORDER)}
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in place
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        and place.get(field.related_model._meta.app_label, -1) > place[model._meta.app_label]
    ]  # fmt: skip

    # People belong to access; rules only note who published.
    assert [line for line in upward if not line.endswith("→ access.User")] == []


def _sources() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    ]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_signals_no_bare_delay_no_import_inside_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))

    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
            assert "django.db.models.signals" not in names, f"{path}:{node.lineno} uses Django signals"
        if isinstance(node, ast.Attribute) and node.attr in {"delay", "delay_on_commit"}:
            raise AssertionError(f"{path}:{node.lineno} calls .{node.attr}; jobs go through the delivery log")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [
                n
                for n in ast.walk(node)
                if isinstance(n, ast.ImportFrom) and (n.module or "").split(".")[0] in PACKAGES
            ]
            assert not inner, f"{path}:{inner[0].lineno} imports our own code inside a function"


def test_packages_start_empty_and_nothing_is_called_utils() -> None:
    for path in _sources():
        # `models` folders collect their tables for Django; `rules.engine` and `client` are packages with one public
        # face; `observe` names the metrics folder before the Prometheus client is imported.
        if path.name == "__init__.py" and path.parent.name not in {"models", "engine", "client", "observe"}:
            assert path.read_text("utf-8").strip() == "", f"{path} is not empty"
        assert path.stem not in {"utils", "common", "misc", "helpers"}, path
