"""When a change of our address is noticed: no socket, no clock."""

from thirdring_device.adapters.sip.network import AddressWatch, source_address


def test_change_is_told_once_and_the_first_address_is_none() -> None:
    address = "192.0.2.1"
    watch = AddressWatch(lambda: {"198.51.100.1"}, lambda destination: address)
    assert watch.changed(0.0) is None
    address = "192.0.2.2"
    assert watch.changed(1.0) is None, "asked every 2 s"
    assert watch.changed(2.0) == "192.0.2.2"
    assert watch.changed(4.0) is None


def test_network_that_goes_and_comes_back_the_same_is_no_change() -> None:
    address = "192.0.2.1"
    watch = AddressWatch(lambda: {"198.51.100.1"}, lambda destination: address)
    watch.changed(0.0)
    address = ""
    assert watch.changed(2.0) is None
    address = "192.0.2.1"
    assert watch.changed(4.0) is None
    address = "192.0.2.7"
    assert watch.changed(6.0) == "192.0.2.7"


def test_other_server_is_no_change_of_ours() -> None:
    servers = {"198.51.100.1"}
    watch = AddressWatch(lambda: servers, lambda destination: "192.0.2." + destination[-1])
    assert watch.changed(0.0) is None
    servers = {"198.51.100.2"}
    assert watch.changed(2.0) is None
    assert AddressWatch(frozenset).changed(0.0) is None


def test_source_address_of_loopback_is_loopback() -> None:
    assert source_address("127.0.0.1") == "127.0.0.1"
