"""Plain JSON objects to frozen dataclasses and back, by the dataclass's own fields."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from thirdring.protocol.errors import error

__all__ = ["from_fields", "to_fields"]

T = TypeVar("T")


@functools.cache
def _hints(cls: typing.Hashable) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def to_fields(value: Any) -> dict[str, Any]:
    """Return the dataclass ``value`` as a JSON object of its fields."""
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_fields(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def from_fields(cls: type[T], fields: Mapping[str, Any]) -> T:
    """Build ``cls`` from a JSON object; unknown fields are ignored so that old hosts read new events.

    Raises ``RequestError`` 1001 naming the field that is missing or has the wrong type.
    """
    hints = _hints(typing.cast("typing.Hashable", cls))
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if field.name in fields:
            values[field.name] = _checked(field.name, hints[field.name], fields[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise error(1001, f"{field.name} is missing")
    return cls(**values)


def _checked(name: str, hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        if value in typing.get_args(hint):
            return value
    elif origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        return _checked(name, next(o for o in options if o is not type(None)), value)
    elif origin is tuple:
        if isinstance(value, list | tuple):
            return tuple(_checked(name, typing.get_args(hint)[0], item) for item in value)
    elif origin is not None:  # Mapping[str, X]
        if isinstance(value, Mapping):
            inner = typing.get_args(hint)[1]
            return {str(key): _checked(name, inner, item) for key, item in value.items()}
    elif hint is Any:
        return value
    elif dataclasses.is_dataclass(hint):
        if isinstance(value, Mapping):
            return from_fields(typing.cast("type[Any]", hint), value)
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise error(1001, f"{name} is {value!r:.60}")
