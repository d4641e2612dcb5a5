"""The Raspberry Pi's card without a Pi: what its firmware reads, and the device trees."""

import re
import subprocess
from pathlib import Path

import pytest
from firmware_ports.recipe.card import command_line, fill_boot, fill_start
from firmware_ports.recipe.ports import PORTS_DIR, find_port
from firmware_ports.recipe.raspberry import DEVICE_TREES, FIRMWARE, LAMP_GPIOS, LAMPS, change_tree
from firmware_ports.recipe.shell import BuildFault, Log

from thirdring_device.board_file import Lamps

PI = PORTS_DIR / "raspberry_pi"
CONFIG_OPTIONS = {
    *("arm_64bit", "upstream_kernel", "enable_uart", "kernel", "initramfs", "gpu_mem"),
    "disable_splash",
}
"""Those of the vendor's "config.txt" that we use."""
AUTOBOOT_OPTIONS = {"tryboot_a_b", "boot_partition"}
AUTOBOOT_BYTES = 512
"""The vendor's "The boot folder", autoboot.txt: nothing else may stand there, and no more."""
TREE = """/dts-v1/;
/ {
  soc {
    serial@7e201000 { bluetooth { compatible = "brcm,bcm43438-bt"; }; };
    gpio: gpio@7e200000 { gpio-controller; #gpio-cells = <2>; phandle = <6>; };
  };
};
"""
"""The nodes that we change, as in the trees of Debian's kernel 6.1."""


def options(file: Path) -> dict[str, dict[str, str]]:
    """Return what a file of the firmware sets, by filter."""
    found: dict[str, dict[str, str]] = {"all": {}}
    under = "all"
    for line in file.read_text(encoding="ascii").splitlines():
        if section := re.fullmatch(r"\[(\w+)\]", line):
            under = section[1]
        elif line and not line.startswith("#"):
            name, separator, value = re.split("([= ])", line, maxsplit=1)
            assert separator == ("=" if name != "initramfs" else " ")
            assert name not in found.setdefault(under, {}), "set twice"
            found[under][name] = value
    return found


def compiled(folder: Path, name: str, source: str = TREE) -> Path:
    file = folder / f"{name}.dtb"
    file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", file], input=source, text=True, check=True)
    return file


def tree_value(file: Path, node: str, name: str, kind: str = "s") -> str:
    command = ["fdtget", "-t", kind, str(file), node, name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    folder = tmp_path / "firmware"
    folder.mkdir()
    for name in (*FIRMWARE, "bootcode.bin"):
        (folder / name).write_bytes(b"firmware")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in DEVICE_TREES:
        compiled(tmp_path / "root/usr/lib/linux-image-6.1.0-50-arm64/broadcom", name)
    boot = tmp_path / "root/boot"
    boot.mkdir()
    for name in ("vmlinuz", "initrd.img"):
        (boot / name).write_bytes(b"linux")
    return tmp_path / "root"


def test_autoboot_names_the_two_boot_partitions_of_the_card() -> None:
    file = PI / "boot/autoboot.txt"
    assert file.stat().st_size <= AUTOBOOT_BYTES
    found = options(file)
    assert {name for values in found.values() for name in values} == AUTOBOOT_OPTIONS
    assert found["all"]["tryboot_a_b"] == "1"
    layout = (PI / "genimage.cfg").read_text(encoding="ascii")
    partitions = re.findall(r"^  partition (\S+) \{(.*?)^  \}", layout, re.MULTILINE | re.DOTALL)
    names = [name for name, _ in partitions]
    assert names[int(found["all"]["boot_partition"]) - 1] == "boot-a"
    assert names[int(found["tryboot"]["boot_partition"]) - 1] == "boot-b"
    # The older models' firmware knows no GPT; three partitions may stand in the MBR beside it.
    in_mbr = [name for name, text in partitions if "partition-type = 0x0c" in text]
    assert in_mbr == names[:3] == ["esp", "boot-a", "boot-b"]


def test_config_sets_documented_options_and_every_file_it_names_is_there(
    tmp_path: Path, root: Path, firmware: Path, log: Log
) -> None:
    port = find_port("raspberry_pi")
    boot, start = tmp_path / "boot", tmp_path / "start"
    boot.mkdir()
    start.mkdir()
    fill_boot(port, root, boot, firmware, log)
    fill_start(start, firmware)
    (found,) = options(boot / "config.txt").values()
    assert set(found) == CONFIG_OPTIONS
    assert (boot / found["kernel"]).is_file()
    initramfs, where = found["initramfs"].split()
    assert (boot / initramfs).is_file()
    assert where == "followkernel"
    assert found["gpu_mem"] == "16"  # which is why the firmware is the one cut down
    assert {file.name for file in boot.iterdir()} == {
        *(*FIRMWARE, "vmlinuz", "initrd.img", "config.txt", "cmdline.txt"),
        *(f"{name}.dtb" for name in DEVICE_TREES),
    }
    assert {file.name for file in start.iterdir()} == {"autoboot.txt", "bootcode.bin"}
    line = (boot / "cmdline.txt").read_text(encoding="ascii")
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert line == command_line(port, "a")
    assert {"root=PARTLABEL=rootfs-a", "console=ttyS1,115200", "ro"} <= set(line.split())


def test_the_lamps_of_the_board_are_in_its_device_tree_where_the_readme_wires_them(
    tmp_path: Path, log: Log
) -> None:
    lamps = find_port("raspberry_pi").board.lamps
    file = compiled(tmp_path, "board")
    change_tree(file, lamps, log)
    assert tree_value(file, LAMPS, "compatible") == "gpio-leds"
    drop_in = PI / "overlay/usr/lib/systemd/system/thirdring-engine.service.d/lamps.conf"
    writable = re.findall(r"^ReadWritePaths=-(.*)$", drop_in.read_text(encoding="ascii"), re.MULTILINE)
    assert writable == [f"/sys/devices/platform{LAMPS}"]
    wiring = (PI / "README.md").read_text(encoding="utf-8")
    for name, label in (("ring", lamps.ring), ("headset", lamps.headset)):
        node = f"{LAMPS}/led-{name}"
        assert tree_value(file, node, "label") == label
        assert tree_value(file, node, "linux,default-trigger") == "timer"
        assert tree_value(file, node, "gpios", "u") == f"6 {LAMP_GPIOS[name]} 0"
        assert f"| {name} lamp | GPIO {LAMP_GPIOS[name]} " in wiring
    assert tree_value(file, "/soc/serial@7e201000/bluetooth", "compatible")


def test_a_bench_has_the_first_uart_and_a_board_keeps_bluetooth(
    tmp_path: Path, root: Path, firmware: Path, log: Log
) -> None:
    for name, kept in (("raspberry_pi", True), ("qemu-raspi3b", False)):
        boot = tmp_path / name
        boot.mkdir()
        fill_boot(find_port(name), root, boot, firmware, log)
        command = ["fdtget", "-p", str(boot / "bcm2837-rpi-3-b.dtb"), "/soc/serial@7e201000/bluetooth"]
        assert (subprocess.run(command, capture_output=True, check=False).returncode == 0) == kept


def test_a_device_tree_that_has_changed_under_us_is_told(tmp_path: Path, log: Log) -> None:
    bare = compiled(tmp_path, "bare", "/dts-v1/;\n/ { };\n")
    with pytest.raises(BuildFault, match="fdtget failed"):
        change_tree(bare, Lamps(ring="ring"), log)


def test_a_kernel_without_the_boards_device_tree_is_told(
    tmp_path: Path, root: Path, firmware: Path, log: Log
) -> None:
    for file in root.glob("usr/lib/*/broadcom/bcm2711-rpi-4-b.dtb"):
        file.unlink()
    with pytest.raises(BuildFault, match="no device tree bcm2711-rpi-4-b"):
        fill_boot(find_port("raspberry_pi"), root, tmp_path, firmware, log)
