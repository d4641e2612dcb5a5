"""Which slot GRUB starts: its configuration is checked by GRUB's own program, and run as a shell script."""

import re
import subprocess

import pytest
from firmware_ports.recipe.bundle import system_config
from firmware_ports.recipe.disk import TRIES, grub_config
from firmware_ports.recipe.ports import find_port, port_names

EFI = [name for name in port_names() if find_port(name).board.storage.boot == "efi"]

STUBS = """
load_env() { case "$2" in *.kept) eval "$KEPT" ;; *) eval "$NOTED" ;; esac; }
save_env() { :; }
serial() { :; }
terminal_input() { :; }
terminal_output() { :; }
linux() { booted="$*"; }
initrd() { :; }
boot() { echo "boots $booted"; echo "notes $ORDER A $A_OK $A_TRY B $B_OK $B_TRY"; exit; }
environment=grubenv
"""


def started(noted: str, kept: str = "") -> tuple[str, str]:
    """Return the slot that is started, and what is noted before it is."""
    text = grub_config(find_port("qemu-amd64")).replace("($disk,gpt$part)", "")
    script = re.sub(r"\bset (?=\w+=)", "", text)
    done = subprocess.run(
        ["sh", "-c", STUBS + script],
        env={"NOTED": noted, "KEPT": kept, "PATH": "/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    slot = re.search(r"root=PARTLABEL=rootfs-([ab]) .*rauc\.slot=([AB])", done.stdout)
    notes = re.search(r"^notes (.*)$", done.stdout, re.MULTILINE)
    assert slot
    assert notes
    assert slot[1].upper() == slot[2]
    return slot[2], notes[1]


def env(order: str, a_ok: int, a_try: int, b_ok: int, b_try: int) -> str:
    return f"ORDER='{order}'; A_OK={a_ok}; A_TRY={a_try}; B_OK={b_ok}; B_TRY={b_try}"


@pytest.mark.parametrize("name", EFI)
def test_grub_understands_its_configuration(name: str) -> None:
    subprocess.run(["grub-script-check"], input=grub_config(find_port(name)), text=True, check=True)


@pytest.mark.parametrize(
    ("noted", "slot", "notes"),
    [
        (env("A B", 1, 0, 0, 0), "A", "A B A 1 1 B 0 0"),
        (env("B A", 1, 0, 1, 0), "B", "B A A 1 0 B 1 1"),
        (env("B A", 1, 0, 1, 1), "B", "B A A 1 0 B 1 2"),
        (env("B A", 1, 0, 1, TRIES), "A", "B A A 1 1 B 1 3"),
        (env("B A", 1, 0, 0, 0), "A", "B A A 1 1 B 0 0"),
    ],
    ids=["first", "updated", "a power cut in the first start", "no tries left", "marked bad"],
)
def test_the_first_good_slot_with_tries_left_is_started(noted: str, slot: str, notes: str) -> None:
    assert started(noted) == (slot, notes)


@pytest.mark.parametrize(
    ("noted", "slot", "notes"),
    [
        (env("B A", 1, TRIES, 1, TRIES), "B", "B A A 1 0 B 1 1"),
        (env("B A", 1, TRIES, 0, 0), "A", "B A A 1 1 B 0 0"),
        (env("A B", 0, 0, 0, 0), "A", "A B A 0 1 B 0 0"),
    ],
)
def test_when_no_slot_is_left_the_tries_begin_anew(noted: str, slot: str, notes: str) -> None:
    assert started(noted) == (slot, notes)


def test_a_damaged_note_is_replaced_by_the_one_of_the_last_start() -> None:
    assert started("", env("B A", 1, 0, 1, 0)) == ("B", "B A A 1 0 B 1 1")
    assert started("") == ("A", "A B A 1 1 B 0 0")


def test_a_slot_that_never_starts_is_left_after_its_tries() -> None:
    noted, slots = env("B A", 1, 0, 1, 0), []
    for _ in range(TRIES + 1):
        slot, notes = started(noted)
        slots.append(slot)
        order, a_ok, a_try, b_ok, b_try = re.fullmatch(r"(. .) A (.) (.) B (.) (.)", notes).groups()  # type: ignore[union-attr]
        noted = env(order, int(a_ok), int(a_try), int(b_ok), int(b_try))
    assert slots == [*"B" * TRIES, "A"]


def test_the_installer_knows_the_board_and_both_slots() -> None:
    text = system_config(find_port("x86"))
    assert "compatible=x86\n" in text
    assert re.findall(r"bootname=(.)", text) == ["A", "B"]
