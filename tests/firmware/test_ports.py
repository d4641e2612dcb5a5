"""What can be said of the boards without booting them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from firmware_ports.recipe.disk import grub_config, kernel_arguments
from firmware_ports.recipe.ports import PORTS_DIR, Port, find_port, port_names
from firmware_ports.recipe.shell import BuildFault
from firmware_ports.recipe.tree import merged_settings

from thirdring.protocol.errors import ThirdringError
from thirdring_device.board_file import load_board
from thirdring_device.firewall import open_ports
from thirdring_device.settings import Settings, changed, load_settings

FILES = sorted({*PORTS_DIR.glob("*/board.toml"), *PORTS_DIR.glob("*/*/board.toml")})
NAMES = port_names()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.parent.relative_to(PORTS_DIR)))
def test_every_board_file_is_read_and_has_a_readme_with_its_wiring(file: Path) -> None:
    board = load_board(file)
    assert board.board.name.replace("-", "_") == "_".join(file.parent.relative_to(PORTS_DIR).parts)
    readme = next(folder / "README.md" for folder in file.parents if (folder / "README.md").exists())
    text = readme.read_text(encoding="utf-8")
    assert "## Wiring" in text
    assert "| line |" in text
    assert "## First boot" in text
    for line in (board.console.log, *board.console.at):
        assert line.removeprefix("/dev/") in text


def test_there_is_a_board_file_in_every_port() -> None:
    ports = {file.relative_to(PORTS_DIR).parts[0] for file in FILES}
    assert ports == {"simulator", "qemu", "x86", "raspberry_pi"}


@pytest.mark.parametrize("name", NAMES)
def test_the_settings_of_an_image_are_settings(name: str, tmp_path: Path) -> None:
    port = find_port(name)
    root = tmp_path / "root"
    for folder in ("etc", "usr/bin", "usr/lib/thirdring", "usr/lib/systemd/network", "usr/lib/systemd"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    from firmware_ports.recipe.tree import _configure

    _configure(root, port)
    settings = load_settings(root / "etc/thirdring/settings.toml")
    assert settings.serial.devices == port.board.console.at
    assert settings.gateway.tls == "own"
    assert settings.headset.device == port.board.headset.device
    assert load_board(root / "usr/lib/thirdring/board.toml") == port.board
    assert (root / "usr/lib/thirdring/watchdog").read_text(
        encoding="ascii"
    ).strip() == port.board.watchdog.module


@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_is_told_of_the_console_and_a_root_shell_is_for_benches_only(name: str) -> None:
    port = find_port(name)
    arguments = kernel_arguments(port).split()
    assert "ro" in arguments
    assert f"console={port.board.console.log},{port.board.console.baud}" in arguments
    assert ("systemd.getty_auto=no" in arguments) != port.board.console.root_shell
    assert port.board.console.root_shell == name.startswith("qemu-")
    assert ("qemu" in port.board.image.overlays) == port.board.console.root_shell
    assert "root=PARTLABEL=" in grub_config(port)


@pytest.mark.parametrize("name", NAMES)
def test_the_overlays_are_there_and_settings_differ_by_port_only_where_meant(name: str) -> None:
    port: Port = find_port(name)
    assert port.overlays
    for folder in port.overlays:
        assert (folder / "overlay").is_dir() or (folder / "settings.toml").exists()
    assert merged_settings(port)["gateway"]["port"] == 443


def test_a_port_without_an_image_is_told_by_name() -> None:
    with pytest.raises(BuildFault, match=r"simulator.*known: .*qemu-amd64"):
        find_port("simulator")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[bord]\nname = 1", r"\[board\] lacks name"),
        ('[board]\nname = "x"\ntitle = "x"\nproved = 3', r"\[board\] proved has the wrong type"),
        ('[board]\nname = "x"\ntitle = "x"\nproved = "x"\nspeed = 1', r"\[board\] unknown: speed"),
        ('[board]\nname = "x"\ntitle = "x"\nproved = "x"\n[lamp]', r"unknown: lamp"),
        (
            '[board]\nname = "x"\ntitle = "x"\nproved = "x"\n[console]\nat = [1]',
            r"\[console\] at has the wrong type",
        ),
    ],
)
def test_a_mistake_in_a_board_file_is_named(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "board.toml"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(ThirdringError, match=told) as caught:
        load_board(file)
    assert caught.value.code == 7005


FIREWALL = PORTS_DIR / "common/overlay/etc/nftables.conf"


def sets_of_the_firewall(*commands: Path) -> dict[str, list[Any]]:
    """Return its sets of ports once nftables has read the files, in a network of their own."""
    read = " && ".join(f"nft -f {file}" for file in commands)
    alone = ["unshare", "-n" if os.geteuid() == 0 else "-rn", "sh", "-c", f"{read} && nft -j list ruleset"]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    told = subprocess.run(alone, capture_output=True, text=True, check=True, env=environment)
    found = [entry["set"] for entry in json.loads(told.stdout)["nftables"] if "set" in entry]
    return {one["name"]: one["elem"] for one in found}


def test_the_firewall_lets_in_what_the_unit_is_delivered_with(tmp_path: Path) -> None:
    sections = merged_settings(find_port("qemu-amd64")).items()
    values = {f"{section}.{name}": value for section, named in sections for name, value in named.items()}
    rules = tmp_path / "open.nft"
    rules.write_text(open_ports(changed(Settings(), values)), encoding="ascii")
    delivered = sets_of_the_firewall(FIREWALL)
    assert delivered == sets_of_the_firewall(FIREWALL, rules)
    assert delivered["served_tcp"] == [443, 5060]
    assert "policy drop" in FIREWALL.read_text(encoding="utf-8")


def test_the_firewall_follows_changed_settings(tmp_path: Path) -> None:
    changes = {"sip.port": 5070, "sip.rtp_port": 5000, "gateway.port": 8443, "trunk.transport": "tls"}
    rules = tmp_path / "open.nft"
    rules.write_text(open_ports(changed(Settings(), changes)), encoding="ascii")
    followed = sets_of_the_firewall(FIREWALL, rules)
    assert followed["served_tcp"] == [5061, 5070, 8443]
    assert followed["phone_udp"] == [{"range": [5000, 5099]}]  # SIP's lies within


def test_what_the_box_starts_finds_our_part_and_so_do_programs_it_starts_in_turn(tmp_path: Path) -> None:
    from firmware_ports.recipe.tree import SITE, _launcher

    (tmp_path / "usr/bin").mkdir(parents=True)
    _launcher(tmp_path)
    launcher = (tmp_path / "usr/bin/thirdring-device").read_text(encoding="ascii")
    assert f'"/{SITE}"' in launcher
    listed = (tmp_path / "usr/lib/python3/dist-packages/thirdring.pth").read_text(encoding="ascii")
    assert listed == f"/{SITE}\n"
