"""Packages that load a name of theirs when it is first used, so that to import them costs next to nothing."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(
    package: str, rooms: Mapping[str, str]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """Return `__all__`, `__getattr__` and `__dir__` of a package whose modules have these names, apart by blanks.

    Type checkers read the package's `__init__.pyi` instead, which says the same in imports.
    """
    homes = {name: room for room, names in rooms.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in homes:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        found: object = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, found)  # nobody asks here a second time
        return found

    def known() -> list[str]:
        return [*vars(sys.modules[package]), *homes]

    return list(homes), load, known
