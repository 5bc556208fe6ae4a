"""The reference of `import pathfolio`: the names that it gives, in the order in which one meets them."""

from __future__ import annotations

import dataclasses
import inspect
import typing

import pathfolio


def python_api() -> str:
    """A directive of autodoc for each name, functions and classes where they are defined, then what they lead to."""
    named = [getattr(pathfolio, name) for name in _in_order()]
    led_to = [found for found in _parts(pathfolio.Explained) if found not in named]
    return "\n\n".join(_entry(found) for found in [*named, *led_to])


def _in_order() -> list[str]:
    """As the module's own docstring names them, then the rest."""
    told = pathfolio.__doc__ or ""
    names = sorted(pathfolio.__all__)
    return sorted(names, key=lambda name: told.find(f"`{name}`") if f"`{name}`" in told else len(told))


def _parts(found: type) -> list[type]:
    """The dataclasses that a dataclass is made of, outermost first, itself left out."""
    parts: list[type] = []
    for field in dataclasses.fields(found):
        for inner in _classes(typing.get_type_hints(found)[field.name]):
            parts += [part for part in (inner, *_parts(inner)) if part not in parts]
    return parts


def _classes(hint: object) -> list[type]:
    """The dataclasses of pathfolio that a type names: `Path` for `tuple[Path, ...]`."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [found for inner in typing.get_args(hint) for found in _classes(inner)]


def _entry(found: object) -> str:
    kind = "autoclass" if inspect.isclass(found) else "autofunction"
    name = getattr(found, "__qualname__", "")
    return f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: {getattr(found, '__module__', '')}.{name}\n```"
