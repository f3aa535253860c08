"""A bumble host on a controller of the virtual air."""

from __future__ import annotations

from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

from strapline_simulator.air import Air
from strapline_simulator.controller import AirController
from strapline_simulator.profiles import DEFAULT_RSSI_DBM


def make_radio(
    air: Air,
    *,
    name: str,
    address: str,
    rssi_dbm: int = DEFAULT_RSSI_DBM,
    advertising_interval_ms: float = 100.0,
) -> tuple[Device, AirController]:
    """Build a device that still has to be powered on.

    Args:
        air: where it is heard.
        name: in the Generic Access service, and in logs.
        rssi_dbm: how strongly others hear it.
        advertising_interval_ms: how often it advertises, if it does.
        address: random static (Core specification, Vol 6, Part B, 1.3.2.1), ``C0:…`` or above.

    Raises:
        ValueError: the address is not random static.
    """
    controller = AirController(name, air, rssi_dbm=rssi_dbm)
    config = DeviceConfiguration(
        name=name,
        address=random_static_address(address),
        advertising_interval_min=advertising_interval_ms,
        advertising_interval_max=advertising_interval_ms,
    )
    device = Device(config=config, host=Host(controller, AsyncPipeSink(controller)))
    device.keystore = MemoryKeyStore()
    device.pairing_config_factory = lambda _: just_works()
    return device, controller


def random_static_address(text: str) -> hci.Address:
    """Parse an address that a device keeps but did not buy.

    Raises:
        ValueError: malformed, or of another kind.
    """
    problem = f"{text} is not a random static address: give six bytes, the first C0 or above"
    try:
        address = hci.Address(text, hci.Address.RANDOM_DEVICE_ADDRESS)
    except ValueError as error:
        raise ValueError(problem) from error
    if not address.is_static:
        raise ValueError(problem)
    return address


def just_works() -> PairingConfig:
    """LE Secure Connections, bonding, nobody asked (Core specification, Vol 3, Part H, 2.3.5).

    Legacy pairing is off: bumble cannot encrypt again with the bond that it leaves. Identity
    keys are not exchanged: straps here keep their addresses, and with such a key bumble would
    scan on its own account before each connect.
    """
    keys = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
    delegate = PairingDelegate(
        io_capability=PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
        local_initiator_key_distribution=keys,
        local_responder_key_distribution=keys,
    )
    return PairingConfig(sc=True, mitm=False, bonding=True, delegate=delegate)
