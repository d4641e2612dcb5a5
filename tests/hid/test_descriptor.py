"""Report descriptors: USB HID 1.11, clause 6.2.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdring_device.adapters.hid.descriptor import DescriptorError, parse
from thirdring_device.adapters.hid.simulator import families
from thirdring_device.adapters.hid.telephony import Telephony
from thirdring_device.core.headset_leds import Leds


def outlines(data: str) -> list[tuple[int, int, int, list[int], bool, bool]]:
    found = parse(bytes.fromhex(data))
    return [(f.report_id, f.offset, f.size, [*f.usages], f.array, f.relative) for f in found.inputs]


def test_usage_page_of_the_main_item_counts_and_surplus_usages_are_dropped() -> None:
    """As every second headset declares its programmable button: page 0x0B usage 7, then page 9 usage 1."""
    assert outlines("050B 0907 0509 0901 7501 9501 8102 0508 0909 8106") == [
        (0, 0, 1, [0x90007], False, False),
        (0, 1, 1, [0x80009], False, True),
    ]


def test_last_usage_serves_the_fields_that_are_left_and_padding_has_none() -> None:
    assert outlines("050B 0920 7501 9503 8102 9505 8101 092F 9501 8106") == [
        (0, 0, 1, [0xB0020], False, False),
        (0, 1, 1, [0xB0020], False, False),
        (0, 2, 1, [0xB0020], False, False),
        (0, 8, 1, [0xB002F], False, True),
    ]


def test_arrays_take_their_whole_length() -> None:
    found = outlines("050B 19B0 29BB 7504 9502 8100 092F 7501 9501 8106")
    assert [(f[1], f[2], f[4]) for f in found] == [(0, 4, True), (4, 4, True), (8, 1, False)]


def test_report_ids_push_pop_extended_usages_and_long_items() -> None:
    assert outlines(
        "FE02FF 0102 050B 7501 9501 8501 A4 0508 7508 0909 8102 B4 0920 8102 8502 0B2F000B00 8106"
    ) == [
        (1, 0, 8, [0x80009], False, False),
        (1, 8, 1, [0xB0020], False, False),
        (2, 0, 1, [0xB002F], False, True),
    ]


@pytest.mark.parametrize(
    "data", ["05", "0B2F00", "B4", "050B 29BB", "050B 19BB 29B0", "75FF 96FFFF 0920 8102"]
)
def test_bytes_that_are_no_descriptor_are_refused(data: str) -> None:
    with pytest.raises(DescriptorError):
        parse(bytes.fromhex(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(data: bytes) -> None:
    try:
        telephony = Telephony(data)
    except DescriptorError:
        return
    telephony.changes(data)
    list(telephony.reports(Leds(ring=True)))


def test_descriptors_of_the_families_have_the_published_layouts() -> None:
    """Jabra: Chromium's own expectations of it; Dell and Anker: the tables beside the published bytes."""
    jabra = parse(families()["jabra-link-380"].descriptor)
    assert jabra.applications == [0xB0005, 0xFF000001, 0xC0001]
    assert {f.report_id for f in jabra.inputs if f.usages[0] >> 16 == 0xB} == {2}
    dell = Telephony(families()["dell-sp325"].descriptor)
    assert [c.control for bit in (0, 1, 2, 3) for c in dell.changes(bytes([5, 1 << bit])) if c.on] == [
        "hook",
        "mute",
        "redial",
        "flash",
    ]
    leds = ("off_hook", "mute", "ring", "hold", "microphone", "on_line")
    for bit, name in enumerate(leds):
        assert list(dell.reports(Leds(**{name: True}))) == [bytes([5, 1 << bit])]
    anker = Telephony(families()["anker-powerconf"].descriptor)
    for bit, name in enumerate(("off_hook", "mute", "ring", "hold", "microphone")):
        assert list(anker.reports(Leds(**{name: True}))) == [bytes([2, 1 << bit, 0])]


def test_keypad_with_a_value_for_none_tells_its_keys() -> None:
    jabra = Telephony(families()["jabra-link-380"].descriptor)

    def keys(value: int) -> list[str]:
        report = (value << 7).to_bytes(2, "little")
        return [c.key for c in jabra.changes(bytes([2, *report])) if c.control == "key" and c.on]

    assert [keys(value) for value in (0, 1, 10, 11, 12, 13)] == [[], ["0"], ["9"], ["*"], ["#"], []]


def test_only_lamps_that_changed_are_written() -> None:
    plantronics = Telephony(families()["plantronics-blackwire-3220"].descriptor)
    ringing, talking = Leds(ring=True), Leds(off_hook=True)
    assert list(plantronics.reports(ringing, Leds())) == [bytes([0x18, 1])]
    assert list(plantronics.reports(talking, ringing)) == [bytes([0x17, 1]), bytes([0x18, 0])]
    assert list(plantronics.reports(talking, talking)) == []
    assert len(list(plantronics.reports(talking))) == 6


def test_devices_without_telephony_have_no_buttons() -> None:
    mouse = bytes.fromhex("05010902A1010901A10005091901290315002501950375018102950175058103C0C0")
    assert not Telephony(mouse).buttons
