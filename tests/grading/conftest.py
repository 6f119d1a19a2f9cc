"""Processes that grade find the verifiers of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def child_env(child_env: dict[str, str]) -> dict[str, str]:
    """The environment of a process that imports what this one imports, and this folder."""
    here, path = str(Path(__file__).parent), child_env["PYTHONPATH"]
    return {**child_env, "PYTHONPATH": os.pathsep.join([here, path])}
