"""Radios have random static addresses and bond without asking."""

from __future__ import annotations

import pytest

from strapline_simulator.radio import just_works, random_static_address


@pytest.mark.parametrize("address", ["C0:00:00:00:00:01", "FF:00:00:00:00:01"])
def test_random_static_addresses(address: str) -> None:
    assert random_static_address(address).is_static


@pytest.mark.parametrize("address", ["BF:00:00:00:00:01", "00:11:22:33:44:55", "40:00:00:00:00:01"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=f"{address} is not a random static address"):
        random_static_address(address)


def test_what_is_no_address_is_refused() -> None:
    for text in ("strap", "C0:00", "", "C0:00:00:00:00:01:02"):
        with pytest.raises(ValueError, match="give six bytes, the first C0 or above"):
            random_static_address(text)


def test_bonding_is_secure_connections_only_and_gives_no_identity() -> None:
    config = just_works()
    assert (config.sc, config.mitm, config.bonding) == (True, False, True)
    delegate = config.delegate
    keys = delegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
    assert delegate.local_initiator_key_distribution == keys
    assert delegate.local_responder_key_distribution == keys
