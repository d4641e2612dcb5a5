"""Bundles made by the recipe and read by the box, with RAUC's own program."""

from collections.abc import Callable

import pytest

from tests.update.conftest import BUILD, Board
from thirdring.protocol.errors import ApplianceError
from thirdring_device.update.install import check
from thirdring_device.update.rauc import Version


def flip(data: bytes, place: int) -> bytes:
    spoiled = bytearray(data)
    spoiled[place] ^= 0xFF
    return bytes(spoiled)


def test_a_bundle_says_what_it_is_for(board: Board) -> None:
    found = board.rauc.inspect(board.bundle())
    assert (found.board, found.version) == ("qemu-amd64", Version((0, 2, 1), BUILD, "0.2.1+def"))


def test_a_bundle_that_somebody_else_signed_is_refused(board: Board) -> None:
    with pytest.raises(ApplianceError, match="7032"):
        board.rauc.inspect(board.bundle(keys=board.strangers))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: flip(data, len(data) - 900),
        lambda data: data[:-5000],
        lambda data: b"no bundle" * 100,
        lambda data: b"",
    ],
    ids=["signature", "cut short", "something else", "empty"],
)
def test_a_damaged_bundle_is_refused(board: Board, spoil: Callable[[bytes], bytes]) -> None:
    path = board.bundle()
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ApplianceError, match="7034"):
        board.rauc.inspect(path)


def test_a_bundle_for_another_board_is_refused(board: Board) -> None:
    with pytest.raises(ApplianceError, match=r"7033.*another-board"):
        check(board.bundle(board="another-board"), board.rauc)


@pytest.mark.parametrize(("version", "build"), [("0.1.9+x", BUILD + 1), ("0.2.0+x", BUILD - 1)])
def test_an_older_version_is_refused_unless_forced(board: Board, version: str, build: int) -> None:
    path = board.bundle(version=version, build=build)
    with pytest.raises(ApplianceError, match="7036"):
        check(path, board.rauc)
    assert check(path, board.rauc, force=True).version.text == version


@pytest.mark.parametrize(("version", "build"), [("0.2.0+abc", BUILD), ("0.10.0+x", BUILD - 9)])
def test_the_same_or_a_newer_version_is_taken(board: Board, version: str, build: int) -> None:
    assert check(board.bundle(version=version, build=build), board.rauc).version.text == version


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("Failed mounting bundle: Input/output error", 7034),
        ("Compatible mismatch: Expected 'a' but bundle manifest has 'b'", 7033),
        ("signature verification failed: Verify error: self-signed certificate", 7032),
        ("LastError: No bootable slot", 7039),
    ],
)
def test_what_the_installer_says_becomes_a_number(board: Board, says: str, code: int) -> None:
    board.ends(1, f"installing\n 20% Checking\n{says}\n")
    with pytest.raises(ApplianceError, match=str(code)):
        board.rauc.install(board.folder / "any.raucb", lambda percent: None)
