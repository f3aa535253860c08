"""What a data folder says of itself: whether its straps are real, and where its server was last."""

from __future__ import annotations

import os
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from strapline.errors import CommandError
from strapline.folder import DataFolder

_NAME: Final = "strapline.json"
_LARGEST_BYTES: Final = 4_096


class Marker(BaseModel):
    """One folder's kind, and how its server listened when it was last started."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    simulated: bool
    port: Annotated[int, Field(ge=0, le=65_535)]
    lan: bool = False


def read_marker(folder: DataFolder) -> Marker | None:
    """What the folder says; None where nothing was ever started in it.

    Raises:
        CommandError: it cannot be read, or is none of ours.
    """
    path = folder.path / _NAME
    try:
        with path.open("rb") as file:
            return Marker.model_validate_json(file.read(_LARGEST_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandError(
            f"{path}: cannot be read ({error.strerror}). Run this as the user that "
            "`strapline up` ran as, or choose another folder with --data FOLDER."
        ) from error
    except ValidationError as error:
        raise CommandError(
            f'{path}: is not what strapline wrote. Write {{"simulated": false, "port": 8420}} into '
            "it, with true where the folder's straps were simulated."
        ) from error


def mark(folder: DataFolder, marker: Marker) -> None:
    """Write it down, after a look at what stands there: simulated and real data never mix.

    Raises:
        CommandError: the folder holds the other kind, or cannot be written to.
    """
    known = read_marker(folder)
    if known is not None and known.simulated is not marker.simulated:
        kinds = ("simulated", "real") if known.simulated else ("real", "simulated")
        raise CommandError(
            f"The data folder {folder.path} holds what {kinds[0]} straps sent, and these are "
            f"{kinds[1]}: the two are never mixed. Choose another with --data FOLDER."
        )
    if known == marker:
        return
    path = folder.path / _NAME
    scratch = path.with_suffix(".new")
    try:
        scratch.write_text(marker.model_dump_json() + "\n", "utf-8")
        os.replace(scratch, path)  # noqa: PTH105  # atomic, and says so
    except OSError as error:
        raise CommandError(
            f"{path}: cannot be written ({error.strerror}). Let this user write to the folder, or "
            "choose another with --data FOLDER."
        ) from error
