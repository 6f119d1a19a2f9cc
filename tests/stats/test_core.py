"""The core stays light and its examples run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import rlvr_gate.stats

MODULES = sorted(m.name for m in pkgutil.iter_modules(rlvr_gate.stats.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_the_docstrings_run(name):
    module = importlib.import_module(f"rlvr_gate.stats.{name}")
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_importing_the_core_imports_no_scipy():
    imports = "; ".join(f"import rlvr_gate.stats.{name}" for name in MODULES)
    code = f"import sys; sys.path[:0] = {sys.path!r}; {imports}; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
