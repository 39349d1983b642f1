"""What every test may ask for, and what CI asks of every test."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

Require = Callable[[object, str], None]
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

IN_CI = os.environ.get("LOOKALIKE_CI") == "1"
LONG = os.environ.get("LOOKALIKE_LONG") == "1"  # harnesses in full, where CI runs a short form
PASSED = os.environ.get("LOOKALIKE_PASSED")  # a file of tests that passed: they are not run again, others are added


@pytest.fixture(scope="session")
def require_or_skip() -> Require:
    """`require_or_skip(condition, reason)` at the start of a test that needs more than pip installs."""

    def require(condition: object, reason: str) -> None:
        if not condition:
            pytest.skip(reason)

    return require


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A newcomer need not wait for what takes minutes."""
    if PASSED and os.path.exists(PASSED):
        passed = set(Path(PASSED).read_text().splitlines())
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
        items[:] = [item for item in items if item.nodeid not in passed]
    if IN_CI or LONG:
        return
    for item in items:
        if item.get_closest_marker("thorough") or "faults" in item.path.parts:
            item.add_marker(pytest.mark.skip("takes long; LOOKALIKE_LONG=1 runs it in full, and CI in short"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if PASSED and report.when == "call" and report.passed and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(PASSED, "a") as file:
            print(report.nodeid, file=file)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A newcomer's skip, with its reason, is a failure in CI, which has all that a test may need."""
    report = yield
    return _unskipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _unskipped(report)


def _unskipped(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"CI must be able to run this test: {report.longrepr}"
    return report
