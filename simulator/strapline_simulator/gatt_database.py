"""The services of a virtual strap, as its GATT server offers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bumble import att
from bumble.gatt import Characteristic, CharacteristicValue, Service

from strapline_simulator import uuids
from strapline_simulator.gatt_names import bumble_uuid
from strapline_simulator.profiles import Profile
from strapline_simulator.sensors import BatterySensor, HeartSensor, StepSensor
from strapline_simulator.twins import Twin, TwinSensor

#: Heart Rate Service 1.0, 3.3: what a control point answers to a value that it does not know.
CONTROL_POINT_NOT_SUPPORTED = 0x80
RESET_ENERGY = b"\x01"

_READ = Characteristic.Properties.READ
_NOTIFY = Characteristic.Properties.NOTIFY
_INDICATE = Characteristic.Properties.INDICATE
_WRITE = Characteristic.Properties.WRITE


@dataclass(frozen=True, slots=True)
class GattDatabase:
    """Services to register, and the characteristics that notify, by UUID."""

    services: tuple[Service, ...]
    notifying: dict[str, Characteristic[bytes]]


def build(
    profile: Profile,
    heart: HeartSensor | None,
    steps: StepSensor | None,
    battery: BatterySensor | None,
    twins: Mapping[Twin, TwinSensor],
) -> GattDatabase:
    """Build what a wearable with these sensors offers."""
    services: list[Service] = []
    notifying: dict[str, Characteristic[bytes]] = {}
    if heart is not None:
        measurement = _characteristic(uuids.HEART_RATE_MEASUREMENT, _NOTIFY)
        notifying[uuids.HEART_RATE_MEASUREMENT] = measurement
        services.append(_heart_rate_service(profile, heart, measurement))
    if steps is not None:
        count = _characteristic(uuids.STEP_COUNT, _READ | _NOTIFY, read=lambda: steps.value)
        notifying[uuids.STEP_COUNT] = count
        services.append(_service(uuids.MOTION_SERVICE, count))
    if battery is not None:
        level = _characteristic(uuids.BATTERY_LEVEL, _READ | _NOTIFY, read=lambda: battery.value)
        notifying[uuids.BATTERY_LEVEL] = level
        services.append(_service(uuids.BATTERY_SERVICE, level))
    by_service: dict[str, list[Characteristic[bytes]]] = {}
    for twin, sensor in twins.items():
        characteristic = _of_twin(twin, sensor)
        by_service.setdefault(twin.service, []).append(characteristic)
        if twin.sends:
            notifying[twin.characteristic] = characteristic
    services += [_service(uuid, *those) for uuid, those in by_service.items()]
    services.append(_device_information(profile))
    return GattDatabase(tuple(services), notifying)


def _of_twin(twin: Twin, sensor: TwinSensor) -> Characteristic[bytes]:
    properties = Characteristic.Properties(0)
    for name, one in (("read", _READ), ("notify", _NOTIFY), ("indicate", _INDICATE)):
        if name in twin.properties:
            properties |= one
    readable = "read" in twin.properties
    return _characteristic(
        twin.characteristic, properties, read=(lambda: sensor.value) if readable else None
    )


def _heart_rate_service(
    profile: Profile, heart: HeartSensor, measurement: Characteristic[bytes]
) -> Service:
    location = bytes([profile.body_location])

    def write_control_point(value: bytes) -> None:
        if value != RESET_ENERGY:
            raise att.ATT_Error(CONTROL_POINT_NOT_SUPPORTED)
        heart.reset_energy()

    characteristics = [
        measurement,
        _characteristic(uuids.BODY_SENSOR_LOCATION, _READ, read=lambda: location),
    ]
    if profile.energy:
        characteristics.append(
            _characteristic(uuids.HEART_RATE_CONTROL_POINT, _WRITE, write=write_control_point)
        )
    return _service(uuids.HEART_RATE_SERVICE, *characteristics)


def _device_information(profile: Profile) -> Service:
    texts = {
        uuids.MANUFACTURER_NAME: profile.manufacturer,
        uuids.MODEL_NUMBER: profile.model,
        uuids.FIRMWARE_REVISION: profile.firmware,
        uuids.SERIAL_NUMBER: profile.serial_number,
    }
    return _service(
        uuids.DEVICE_INFORMATION_SERVICE,
        *(_characteristic(uuid, _READ, read=text.encode) for uuid, text in texts.items()),
    )


def _service(uuid: str, *characteristics: Characteristic[bytes]) -> Service:
    return Service(bumble_uuid(uuid), list(characteristics))


def _characteristic(
    uuid: str,
    properties: Characteristic.Properties,
    *,
    read: Callable[[], bytes] | None = None,
    write: Callable[[bytes], None] | None = None,
) -> Characteristic[bytes]:
    """A characteristic that refuses what it does not offer: bumble checks no permission."""

    def on_read(_connection: object) -> bytes:
        if read is None:
            raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
        return read()

    def on_write(_connection: object, value: bytes) -> None:
        if write is None:
            raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
        write(value)

    return Characteristic(
        bumble_uuid(uuid),
        properties,
        Characteristic.Permissions.READABLE | Characteristic.Permissions.WRITEABLE,
        CharacteristicValue(read=on_read, write=on_write),
    )
