"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Require = Callable[[object, str], None]


@pytest.fixture(scope="session")
def require_or_skip() -> Require:
    """`require_or_skip(condition, reason)` at the start of a test that needs more than pip installs.

    Without it a newcomer's test is skipped, with the reason; in CI, which sets LOOKALIKE_CI=1, it fails.
    """

    def require(condition: object, reason: str) -> None:
        if condition:
            return
        if os.environ.get("LOOKALIKE_CI") == "1":
            pytest.fail(f"CI must be able to run this test: {reason}", pytrace=False)
        pytest.skip(reason)

    return require
