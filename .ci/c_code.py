"""Write the C code of the compiled modules, from the last to the first, while pip still downloads.

The build does the same from the first to the last and takes what is there and newer than its sources. A file appears
under its name when it is complete, so it does not matter who comes first.
"""

import os
import tempfile
import tomllib
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension


def write(module: dict[str, object], folder: str) -> None:
    """The C code of one module beside its source, unless the build was there before."""
    source = Path(str(module["sources"][0]))
    if not source.with_suffix(".c").exists():
        cythonize([Extension(module["name"], [str(source)])], build_dir=folder, quiet=True)
        os.replace(Path(folder) / source.with_suffix(".c"), source.with_suffix(".c"))


def main() -> None:
    with open("pyproject.toml", "rb") as file:
        modules = tomllib.load(file)["tool"]["setuptools"]["ext-modules"]
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="build") as folder:
        for module in reversed(modules):
            write(module, folder)


main()
