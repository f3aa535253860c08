"""The wearables chosen for this bridge: ``wearables.json`` in the state folder.

It holds what must never leave the bridge (addresses) and what a lost one would cost (the ids
under which a server knows the devices), so it is written atomically and readable by its owner
alone. A bridge connects only to what stands in it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from strapline_bridge.errors import BridgeError
from strapline_protocol.base import DeviceId, Label, UserId, WallMs

FILE_NAME: Final = "wearables.json"
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700

#: ``AA:BB:CC:DD:EE:FF``; on macOS a UUID, since Apple shows no addresses.
_ADDRESS: Final = (
    r"^([0-9A-F]{2}(:[0-9A-F]{2}){5}"
    r"|[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})$"
)


class WearablesError(BridgeError):
    """The list of wearables cannot be read, written, or changed so."""


def normalised_address(address: str) -> str:
    """An address as it is stored and compared: upper case."""
    return address.strip().upper()


Address = Annotated[str, AfterValidator(normalised_address), Field(pattern=_ADDRESS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Wearable(_Strict):
    """One chosen wearable.

    Attributes:
        device: random, 128 bits, never derived from the address; the server's name for it.
        addresses: where it can be found; more than one once bonding has revealed another.
        user: who wears it now.
        name: what its owner calls it; makers put serial numbers into theirs.
        added_at: milliseconds since 1970 UTC.
    """

    device: DeviceId
    addresses: Annotated[tuple[Address, ...], Field(min_length=1, max_length=8)]
    user: UserId
    name: Label
    added_at: WallMs


class Wearables(_Strict):
    """All chosen wearables: a value; each change gives a new one."""

    version: Literal[1] = 1
    wearables: tuple[Wearable, ...] = ()

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        devices = [wearable.device for wearable in self.wearables]
        addresses = [address for wearable in self.wearables for address in wearable.addresses]
        if len(set(devices)) != len(devices):
            raise ValueError("two wearables have the same device id")
        if len(set(addresses)) != len(addresses):
            raise ValueError("two wearables have the same address")
        return self

    def __len__(self) -> int:
        return len(self.wearables)

    def find(self, device: str) -> Wearable | None:
        """The wearable with a device id."""
        return next((known for known in self.wearables if known.device == device), None)

    def find_by_address(self, address: str) -> Wearable | None:
        """The wearable that can be found at an address, in any spelling of it."""
        wanted = normalised_address(address)
        return next((known for known in self.wearables if wanted in known.addresses), None)

    def wearer_of(self, device: str) -> str | None:
        """The user who wears a device now."""
        found = self.find(device)
        return None if found is None else found.user

    def add(
        self,
        *,
        address: str,
        user: str,
        name: str,
        added_at: int,
        new_id: Callable[[], str] | None = None,
    ) -> tuple[Wearables, Wearable]:
        """With one more wearable, under a new random id.

        Raises:
            WearablesError: it is there already, or a field has not the form it must have.
        """
        known = self.find_by_address(address)
        if known is not None:
            raise WearablesError(
                f"this wearable was chosen already, as {known.name!r} worn by {known.user!r}",
                "Remove it first, or give it another wearer",
            )
        try:
            wearable = Wearable(
                device=(new_id or random_device_id)(),
                addresses=(address,),
                user=user,
                name=name,
                added_at=added_at,
            )
        except ValidationError as error:
            fault = _fault(error)
            raise WearablesError(f"a wearable cannot be added: {fault}", "Correct it") from None
        return self._with((*self.wearables, wearable)), wearable

    def remove(self, device: str) -> Wearables:
        """Without one of them.

        Raises:
            WearablesError: none has this device id.
        """
        self._known(device)
        return self._with(tuple(known for known in self.wearables if known.device != device))

    def give_to(self, device: str, user: str) -> Wearables:
        """With another wearer of a device, from now on.

        Raises:
            WearablesError: none has this device id, or ``user`` is not a user id.
        """
        known = self._known(device)
        try:
            changed = Wearable.model_validate({**known.model_dump(), "user": user})
        except ValidationError as error:
            raise WearablesError(
                f"the wearer cannot change: {_fault(error)}", "Correct it"
            ) from None
        return self._with(tuple(changed if other is known else other for other in self.wearables))

    def _known(self, device: str) -> Wearable:
        found = self.find(device)
        if found is None:
            raise WearablesError(
                f"no wearable here has the device id {device!r}", "Choose one of those listed"
            )
        return found

    def _with(self, wearables: tuple[Wearable, ...]) -> Wearables:
        return Wearables(wearables=wearables)


def random_device_id() -> str:
    """128 random bits, base64url."""
    return secrets.token_urlsafe(16)


def _fault(error: ValidationError) -> str:
    """The first fault of a validation, without the value: that may be an address."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


class WearablesFile:
    """``wearables.json`` on disk."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE_NAME

    def load(self) -> Wearables:
        """What stands in the file; none when there is no file.

        Raises:
            WearablesError: it cannot be read, or is not what this version wrote.
        """
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return Wearables()
        except OSError as error:
            raise self._cannot("read", error) from error
        try:
            return Wearables.model_validate_json(text)
        except ValidationError as error:
            raise WearablesError(
                f"{self.path} is damaged ({_fault(error)})",
                "Restore it from a backup, or move it away and choose the wearables again "
                "with `strapline up`",
            ) from None

    def change(self, change: Callable[[Wearables], Wearables]) -> Wearables:
        """Read, change and write as one step that no other process comes between.

        Raises:
            WearablesError: from reading, writing, or from ``change`` itself.
        """
        with self._locked():
            changed = change(self.load())
            self._write(changed)
        return changed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(mode=_FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._cannot("write", error) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, wearables: Wearables) -> None:
        text = wearables.model_dump_json(indent=2) + "\n"
        temporary: str | None = None
        try:
            # mkstemp makes it readable by its owner alone from the first moment.
            handle, temporary = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=self.path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), _OWNER_ONLY)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise self._cannot("write", error) from error

    def _cannot(self, verb: str, error: OSError) -> WearablesError:
        return WearablesError(
            f"cannot {verb} {self.path}: {error.strerror or error}",
            f"Let this user {verb} it, or choose another `state_dir` in the configuration",
        )
