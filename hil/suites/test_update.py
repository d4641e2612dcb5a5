"""Updates of a board that installs them itself: refused ones, a good one, ones that it goes back from.

The bundles lie beside the image: ``scripts/build-image PORT --spoiled``.
"""

import contextlib
import functools
import http.server
import random
import re
import threading
import time
from collections.abc import Iterator

import pytest

from thirdring.appliance import Appliance
from thirdring_hil.calls import talking
from thirdring_hil.measurements import Measure
from thirdring_hil.poll import poll
from thirdring_hil.progress import LONG_WORK
from thirdring_hil.qemu.machine import Machine
from thirdring_hil.qemu.network import HOST_SEEN_AS
from thirdring_hil.qemu.shell import ShellError
from thirdring_hil.target import Target, wait_until_ready

pytestmark = pytest.mark.needs("update", "root_shell", "power_cut")

INSTALL_S = 900.0
"""190 MB are fetched and 800 MB written, in emulation beside other work."""
START_S = 900.0
"""The unit's own limit from power on; GRUB's line comes long before."""
NEVER_S = 1500.0
"""A slot that never starts: three tries, each until the watchdog."""
UPDATE_S = 150.0
"""What an update takes in emulation with a processor of its own, from the order until it is judged."""
KEPT = "norms.answer.max_rings"
SLOT = re.compile(rb"thirdring: slot ([AB]), try (\d)")
STATE = "/var/lib/thirdring/update/state.json"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class Board:
    """The board, and the bundles beside its image as the board reaches them."""

    def __init__(self, target: Target, machine: Machine, port: int) -> None:
        self.target = target
        self.machine = machine
        self._base = f"http://{HOST_SEEN_AS}:{port}/{machine.image.stem}"

    def run(self, command: str, timeout_s: float = 60.0) -> str:
        """Run a command as root."""
        with self.machine.shell(START_S) as shell:
            return shell.run(command, timeout_s).strip()

    def starts(self) -> list[str]:
        """Return the slot of every start that GRUB has told of, oldest first."""
        return [slot.decode() for slot, _ in SLOT.findall(self.machine.log.read_bytes())]

    def slot(self) -> str:
        """Return the slot that runs."""
        return self.run("sed 's/.*rauc.slot=//' /proc/cmdline")[:1]

    def whole(self, *, written: bool) -> bool:
        """Return whether the slot that runs is what RAUC noted when it wrote it, byte for byte.

        ``written``: it has been; else it may still be what the image brought.
        """
        name = {"A": "rootfs.0", "B": "rootfs.1"}[self.slot()]
        noted = self.run(f"sed -n '/^.slot.{name}.$/,/^$/p' /var/lib/rauc/status 2> /dev/null; true")
        known = dict(re.findall(r"^(\w+)=(\S+)$", noted, re.MULTILINE))
        if "sha256" not in known:
            return not written
        count = f"iflag=count_bytes count={known['size']}"
        command = f"dd if=$(findmnt -n -o SOURCE /) bs=1M {count} status=none | sha256sum"
        return known["status"] == "ok" and self.run(command, INSTALL_S).startswith(known["sha256"])

    def told(self) -> str:
        """Return what the unit tells of its last update, as JSON."""
        return self.run(f"cat {STATE}")

    def command(self, why: str = "") -> str:
        """Return what is typed to install a bundle."""
        return f"thirdring-device update {self._base}{'.' if why else ''}{why}.raucb"

    def update(self, why: str = "") -> tuple[int, float]:
        """Install a bundle; return how many starts there were before, and the seconds until the restart."""
        known, began_s = len(self.starts()), time.monotonic()
        self.run(self.command(why), INSTALL_S)
        return known, time.monotonic() - began_s

    def wait_for_start(self, slot: str, known: int, timeout_s: float = START_S) -> int:
        """Wait until GRUB starts ``slot`` after the first ``known`` starts; return how many there are."""
        poll(lambda: slot in self.starts()[known:], f"slot {slot} is started", timeout_s)
        self.machine.restarted()
        return len(self.starts())

    def wait_until_judged(self) -> None:
        """Wait until the unit works and its health check has ended."""
        wait_until_ready(self.target.console, START_S)
        ended = "systemctl show --value -p ActiveState thirdring-health.service"
        self.run(f'while [ "$({ended})" != inactive ]; do sleep 2; done', START_S)


@pytest.fixture
def board(target: Target) -> Iterator[Board]:
    """Serve the image's folder to the board."""
    assert target.machine is not None
    serve = functools.partial(Quiet, directory=target.machine.image.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            board = Board(target, target.machine, server.server_port)
            board.wait_until_judged()
            yield board
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def kept(target: Target) -> Iterator[None]:
    """Hold settings and journal against what they were before."""
    with Appliance(target.url) as appliance:
        with talking(target, appliance) as talk:
            pass
        appliance.set_settings({KEPT: 4})
        last = appliance.state().last_event
    yield
    with Appliance(target.url) as appliance:
        state = appliance.state()
        assert state.last_event >= last
        assert state.storage == "ok"
        assert appliance.call(talk.call_id).call.cause == "hangup"
        assert {view.name: view.value for view in appliance.settings()}[KEPT] == 4


@pytest.mark.parametrize(("why", "code"), [("stranger", 7032), ("other-board", 7033), ("older", 7036)])
def test_an_update_that_is_not_for_this_unit_is_refused(board: Board, why: str, code: int) -> None:
    slot = board.slot()
    with pytest.raises(ShellError, match=f"error {code}:"):
        board.run(board.command(why), INSTALL_S)
    assert board.slot() == slot


@pytest.mark.needs("sip")
def test_an_update_is_installed_and_settings_and_journal_are_kept(board: Board, measure: Measure) -> None:
    old = board.slot()
    new = {"A": "B", "B": "A"}[old]
    with kept(board.target):
        known, install_s = board.update()
        began_s = time.monotonic()
        board.wait_for_start(new, known)
        board.wait_until_judged()
        judged_s = time.monotonic() - began_s
        assert board.slot() == new
        assert '"phase": "done"' in board.told()
        note = board.run("grub-editenv /boot/efi/EFI/BOOT/grubenv list")
        assert {f"ORDER={new} {old}", f"{new}_OK=1", f"{new}_TRY=0", f"{old}_OK=1"} <= set(note.split("\n"))
    measure("update_installed", install_s, "s", 0.0, INSTALL_S, "fetched, checked and written")
    measure("update_restarted_and_kept", judged_s, "s", 0.0, 2 * START_S, "from the restart on")


def test_an_update_whose_engine_ends_is_given_up(board: Board, measure: Measure) -> None:
    old = board.slot()
    known, _ = board.update("dead-engine")
    known = board.wait_for_start({"A": "B", "B": "A"}[old], known)
    began_s = time.monotonic()
    board.wait_for_start(old, known)
    measure("went_back_from_a_dead_engine", time.monotonic() - began_s, "s", 0.0, START_S, "the unit's limit")
    board.wait_until_judged()
    assert board.slot() == old
    assert '"code": 7040' in board.told()


def test_an_update_whose_first_process_hangs_is_left_by_the_watchdog(board: Board, measure: Measure) -> None:
    old = board.slot()
    known, _ = board.update("dead-init")
    known = board.wait_for_start({"A": "B", "B": "A"}[old], known)
    began_s = time.monotonic()
    board.wait_for_start(old, known, NEVER_S)
    measure("went_back_from_a_hung_start", time.monotonic() - began_s, "s", 0.0, NEVER_S, "three tries")
    board.wait_until_judged()
    assert board.slot() == old
    assert '"code": 7040' in board.told()


@pytest.mark.needs("sip")
def test_a_power_cut_while_an_update_is_written_costs_the_update_only(board: Board) -> None:
    old = board.slot()
    with kept(board.target):
        board.run(f"({board.command()}) > /dev/null 2>&1 &")
        writing = '"phase": "installing", "percent": [4-9]'
        board.run(f"until grep -q '{writing}' {STATE}; do sleep 0.5; done", INSTALL_S)
        board.machine.power_cycle()
        board.wait_until_judged()
        assert board.slot() == old
        assert board.run("ls /var/lib/thirdring/update").find("raucb") < 0


@pytest.mark.needs("sip")
def test_power_cuts_at_any_moment_of_an_update_leave_a_whole_system(
    board: Board, measure: Measure, pytestconfig: pytest.Config
) -> None:
    """Also in the first start of the new slot and while it is judged: either version, never half of one."""
    before, after = 0, 0
    cuts = int(pytestconfig.getoption("--power-cuts"))
    for cut in range(1, cuts + 1):
        old = board.slot()
        with kept(board.target):
            board.run(f"({board.command()}) > /dev/null 2>&1 &")
            moment_s = random.uniform(0.0, UPDATE_S)  # noqa: S311 - any moment is as good
            time.sleep(moment_s)
            board.machine.power_cycle()
            board.wait_until_judged()
            updated = board.slot() != old
            assert board.whole(written=updated)
            before, after = before + (not updated), after + updated
            slot = "updated" if updated else "old"
            LONG_WORK.info("power cut %d of %d after %.1f s: the %s version runs", cut, cuts, moment_s, slot)
    measure("power_cuts_that_cost_the_update", before, "", 0.0, None, "any number")
    measure("power_cuts_after_which_the_update_runs", after, "", 0.0, None, "any number")


def test_a_damaged_update_is_found_while_it_is_written(board: Board) -> None:
    slot = board.slot()
    with pytest.raises(ShellError, match="error 7034:"):
        board.run(board.command("damaged"), INSTALL_S)
    assert board.slot() == slot
