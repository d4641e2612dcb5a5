"""The box itself: its disk, its memory, and what strangers reach of it."""

import subprocess
import time
import xml.etree.ElementTree as ET

import pytest

from thirdring.appliance import Appliance
from thirdring_hil.calls import talking
from thirdring_hil.measurements import Measure
from thirdring_hil.qemu.outside import BOARD_ADDRESS, outside
from thirdring_hil.target import Target

LEAST_DATA_MB = 1100
"""The image brings 768 MB; the disk of a bench is 512 MB larger than its image."""
MOST_MEMORY_MB = 200.0
SCAN_S = 300.0
CALL_S = 10.0
"""A call of this length has been recorded and judged for a while."""
SIP, PAGE = 5060, 443


@pytest.mark.needs("root_shell")
def test_the_data_partition_takes_the_whole_disk(target: Target, measure: Measure) -> None:
    assert target.machine is not None
    with target.machine.shell() as shell:
        size_mb = int(shell.run("df -m --output=size /var | tail -n 1"))
    measure(
        "data_partition", size_mb, "MB", LEAST_DATA_MB, None, "the image's 768 MB and the rest of the disk"
    )


@pytest.mark.needs("root_shell", "sip")
def test_the_box_leaves_memory_idle_and_in_a_call(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    """All is in use but what the kernel can give at once; what belongs to the start is over."""
    target.settle()
    measure("memory_in_use", used_mb(target), "MB", 0.0, MOST_MEMORY_MB, "at most 200 MB")
    with talking(target, appliance):
        time.sleep(CALL_S)
        measure("memory_in_a_call", used_mb(target), "MB", 0.0, MOST_MEMORY_MB, "at most 200 MB")


@pytest.mark.needs("root_shell", "sip")
def test_the_threads_of_the_sound_go_first(target: Target, appliance: Appliance) -> None:
    """The bridge's clock, and the one that receives: real-time priority, before all that can wait."""
    assert target.machine is not None
    of_each = "for t in /proc/$pid/task/*; do echo $(cat $t/comm): $(chrt -p ${t##*/}); done"
    with talking(target, appliance), target.machine.shell() as shell:
        said = shell.run(f"pid=$(systemctl show --value -p MainPID thirdring-engine); {of_each}")
    first = [line.partition(":")[0] for line in said.splitlines() if "SCHED_RR" in line]
    assert "media" in first
    assert len(first) > 1


def used_mb(target: Target) -> float:
    """Return what is in use of the board's memory."""
    assert target.machine is not None
    with target.machine.shell() as shell:
        told = dict(line.split(":", 1) for line in shell.run("cat /proc/meminfo").splitlines())
    total_kb, available_kb = (int(told[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    return (total_kb - available_kb) / 1024


@pytest.mark.needs("outside")
def test_strangers_reach_sip_and_the_page_only(target: Target, measure: Measure) -> None:
    """Every TCP port; of UDP those that services use: the firewall lets no refusal out either."""
    assert target.machine is not None
    with outside(target.machine) as stranger:
        tcp = scanned(stranger, "-sS", "-p-", "--min-rate", "1500")
        udp = scanned(stranger, "-sU", "-p", "1-1024,1900,4500,5353,5355", "--min-rate", "300")
    assert tcp == {SIP: "open", PAGE: "open"}
    assert udp == {}
    measure("open_tcp_ports", len(tcp), "ports", 2, 2, "SIP and the page")


def scanned(stranger: list[str], *options: str) -> dict[int, str]:
    """Return the ports that answered, open or refused."""
    command = [*stranger, "nmap", "-n", "-Pn", "--max-retries", "1", *options, "-oX", "-", BOARD_ADDRESS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SCAN_S)
    found = {}
    for port in ET.fromstring(done.stdout).iter("port"):  # noqa: S314 - nmap's
        state = port.find("state")
        if state is not None and state.get("reason") != "no-response":
            found[int(port.get("portid", "0"))] = str(state.get("state"))
    return found
