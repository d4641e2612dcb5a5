"""How a setting is declared: default, unit, bounds and meaning stand in one place.

A section is a frozen dataclass whose fields are made by ``setting``; ``read_section`` checks a mapping
against it. The document ``docs/settings.md`` and ``GET /v1/settings`` are made from the same declarations.
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from thirdring.protocol.errors import error
from thirdring_device.core.number import is_number

__all__ = ["Spec", "read_section", "section_specs", "setting"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of one setting besides its default."""

    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    secret: bool = False
    number: bool = False
    """Whether it is a number that calls are sent on to: the dial plan has a say in it."""


def setting(
    default: Any,
    description: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
    secret: bool = False,
    number: bool = False,
) -> Any:
    """Declare a field of a section; ``low`` and ``high`` are inclusive, ``live`` settings change at once."""
    spec = Spec(description, unit, low, high, choices, live, secret, number)
    return dataclasses.field(default=default, metadata={"spec": spec})


def section_specs(section: type[Any]) -> dict[str, tuple[Any, Spec]]:
    """Return ``{field name: (default, spec)}`` of a section."""
    return {f.name: (f.default, f.metadata["spec"]) for f in dataclasses.fields(section)}


def read_section(section: type[T], prefix: str, values: Mapping[str, Any]) -> T:
    """Build ``section`` from ``values``; ``prefix`` is its dotted name, for messages.

    Raises ``StorageError`` 5004 for an unknown name, 5005 for a wrong type or a value outside its bounds;
    the message names the setting and says what is allowed.
    """
    hints = typing.get_type_hints(section)
    specs = section_specs(section)
    checked = {}
    for name, value in values.items():
        if name not in specs:
            raise error(5004, f"{prefix}.{name}; known: {', '.join(specs)}")
        checked[name] = _checked(f"{prefix}.{name}", hints[name], specs[name][1], value)
    return section(**checked)


def _checked(name: str, hint: Any, spec: Spec, value: Any) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise error(5005, f"{name} is {value!r:.60}, not a list of strings")
        return tuple(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise error(5005, f"{name} is {value!r:.60}, not of type {hint.__name__}")
    if spec.choices and value not in spec.choices:
        raise error(5005, f"{name} is {value!r:.60}, not one of {', '.join(spec.choices)}")
    if spec.number and value and not is_number(value):
        raise error(5005, f"{name} is {value!r:.60}, not a number that can be dialled")
    too_low = spec.low is not None and value < spec.low
    too_high = spec.high is not None and value > spec.high
    if value != value or too_low or too_high:
        raise error(5005, f"{name} is {value}, outside {spec.low} to {spec.high} {spec.unit}".rstrip())
    return value
