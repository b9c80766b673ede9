"""The examples in docstrings hold, those of compiled modules too (Cython keeps them in ``__test__``)."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import qmo_cli

MODULES = [
    module.name for module in pkgutil.walk_packages(qmo_cli.__path__, "qmo_cli.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    tried = {name: doctest.testmod(importlib.import_module(name)).attempted for name in MODULES}
    assert sum(tried.values()) > 30
    assert tried["qmo_cli.rounding"] >= 2
