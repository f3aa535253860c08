"""`strapline verify`: what is on this machine, bridge and server, one verdict."""

from __future__ import annotations

import typer

from strapline.options import Data, Debug, Json


def verify(*, data: Data = None, as_json: Json = False, debug: Debug = False) -> None:
    """Say whether all that was measured is stored, once.

    Compares bridge and server of `strapline up`, else of the services here. Leaves with status 1
    where something is missing, twice or different, and with 2 where it could not be verified.
    """
    from strapline.proving import verify_all

    raise typer.Exit(verify_all(data, as_json=as_json))
