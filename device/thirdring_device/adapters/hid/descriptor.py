"""HID report descriptors: which bit of which report is what (USB HID 1.11, clause 6.2.2).

Written here because the library that is kept, hid-parser 0.1.0, misreads headsets
(``docs/decisions/0009-own-report-descriptor-parser.md``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

__all__ = ["Descriptor", "DescriptorError", "Field", "parse"]

# Prefixes without the two bits of the size.
INPUT, OUTPUT, FEATURE, COLLECTION, END_COLLECTION = 0x80, 0x90, 0xB0, 0xA0, 0xC0
USAGE_PAGE, LOGICAL_MIN, LOGICAL_MAX = 0x04, 0x14, 0x24
REPORT_SIZE, REPORT_ID, REPORT_COUNT, PUSH, POP = 0x74, 0x84, 0x94, 0xA4, 0xB4
USAGE, USAGE_MIN, USAGE_MAX = 0x08, 0x18, 0x28
LONG_ITEM: Final = 0xFE
SIGNED: Final = frozenset({LOGICAL_MIN, LOGICAL_MAX})
VARIABLE, RELATIVE = 0x02, 0x04
APPLICATION: Final = 1
MOST_REPORT_BITS: Final = 8 * 4096
"""The kernel's own limit of a report is 16 KiB; no headset comes near this one."""


class DescriptorError(ValueError):
    """The bytes are not a report descriptor."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a report; usages are ``page << 16 | usage``.

    ``offset`` and ``size`` are bits, counted behind the report id. A *variable* field has one usage and its
    value; an *array* field has the index of one of ``usages``. "Constant" is not kept: some headsets declare
    their buttons as constant input.
    """

    report_id: int
    offset: int
    size: int
    usages: tuple[int, ...]
    array: bool
    relative: bool
    logical_min: int
    logical_max: int


@dataclass(slots=True)
class Descriptor:
    """The fields that have usages, and the length in bits of every report, by its id (0: without id)."""

    inputs: list[Field] = field(default_factory=list)
    outputs: list[Field] = field(default_factory=list)
    input_bits: dict[int, int] = field(default_factory=dict)
    output_bits: dict[int, int] = field(default_factory=dict)
    applications: list[int] = field(default_factory=list)
    """Usages of the application collections, as in ``Field``."""

    @property
    def numbered(self) -> bool:
        """Whether reports begin with their id."""
        return any((*self.input_bits, *self.output_bits))


@dataclass(frozen=True, slots=True)
class _Globals:
    page: int = 0
    logical_min: int = 0
    logical_max: int = 0
    size: int = 0
    count: int = 0
    report_id: int = 0


def parse(data: bytes) -> Descriptor:
    """Read a report descriptor; raises ``DescriptorError``."""
    found, state = Descriptor(), _Globals()
    stack: list[_Globals] = []
    usages: list[int] = []
    lowest: int | None = None
    for tag, value, size in _items(data):
        match tag:
            case 0x80 | 0x90:  # INPUT, OUTPUT
                fields, bits = (
                    (found.inputs, found.input_bits) if tag == INPUT else (found.outputs, found.output_bits)
                )
                offset = bits.get(state.report_id, 0)
                bits[state.report_id] = offset + state.size * state.count
                if bits[state.report_id] > MOST_REPORT_BITS:
                    raise DescriptorError(f"report {state.report_id} is longer than {MOST_REPORT_BITS} bits")
                fields.extend(
                    _fields(state, [_complete(usage, state.page) for usage in usages], value, offset)
                )
            case 0xA0:  # COLLECTION
                if value == APPLICATION and usages:
                    found.applications.append(_complete(usages[0], state.page))
            case 0x04:
                state = replace(state, page=value)
            case 0x14:
                state = replace(state, logical_min=value)
            case 0x24:
                state = replace(state, logical_max=value)
            case 0x74:
                state = replace(state, size=value)
            case 0x84:
                state = replace(state, report_id=value)
            case 0x94:
                state = replace(state, count=value)
            case 0xA4:
                stack.append(state)
            case 0xB4:
                if not stack:
                    raise DescriptorError("pop without push")
                state = stack.pop()
            case 0x08:
                usages.append(_local(value, size))
            case 0x18:
                lowest = _local(value, size)
            case 0x28:
                if lowest is None or not 0 <= _local(value, size) - lowest <= 0xFFFF:
                    raise DescriptorError("usage maximum without its minimum")
                usages.extend(range(lowest, _local(value, size) + 1))
        if not tag & 0x0C:  # a main item ends what was local
            usages, lowest = [], None
    return found


def _items(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield tag, value and size in bytes of every short item; long ones carry nothing yet (6.2.2.3)."""
    position = 0
    while position < len(data):
        prefix = data[position]
        if prefix == LONG_ITEM:
            position += 3 + (data[position + 1] if position + 1 < len(data) else 0)
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        body = data[position + 1 : position + 1 + size]
        if len(body) != size:
            raise DescriptorError(f"item at {position} is cut off")
        tag = prefix & 0xFC
        yield tag, int.from_bytes(body, "little", signed=tag in SIGNED), size
        position += 1 + size


def _local(value: int, size: int) -> int:
    """Return a usage; one of four bytes brings its page along, marked as such by being above 16 bits."""
    return value if size == 4 else value & 0xFFFF


def _complete(usage: int, page: int) -> int:
    """Return a usage with its page: the last one declared before the main item (6.2.2.8)."""
    return usage if usage > 0xFFFF else page << 16 | usage


def _fields(state: _Globals, usages: list[int], flags: int, offset: int) -> Iterator[Field]:
    """Yield the fields of one main item; without usages it is padding."""
    if not usages or not state.size:
        return
    for index in range(state.count):
        array = not flags & VARIABLE
        yield Field(
            report_id=state.report_id,
            offset=offset + index * state.size,
            size=state.size,
            usages=tuple(usages) if array else (usages[min(index, len(usages) - 1)],),
            array=array,
            relative=bool(flags & RELATIVE),
            logical_min=state.logical_min,
            logical_max=state.logical_max,
        )
