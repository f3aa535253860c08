"""The list of chosen wearables: a value, and a real file with real modes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from strapline_bridge.wearables import Wearables, WearablesError, WearablesFile

_ADDRESS = "C0:FF:EE:00:00:01"
_OTHER = "C0:FF:EE:00:00:02"


def _one(address: str = _ADDRESS, user: str = "ada") -> Wearables:
    return Wearables().add(address=address, user=user, name="chest strap", added_at=1)[0]


def test_an_added_wearable_is_found_by_id_and_by_address_in_any_spelling() -> None:
    known, added = Wearables().add(
        address="c0:ff:ee:00:00:01", user="ada", name="chest strap", added_at=1
    )
    assert added.addresses == (_ADDRESS,)
    assert known.find(added.device) is added
    assert known.find_by_address(" c0:FF:ee:00:00:01") is added
    assert known.find_by_address(_OTHER) is None
    assert known.wearer_of(added.device) == "ada"
    assert known.wearer_of("nobody") is None


def test_device_ids_are_random_and_tell_no_address() -> None:
    ids = {_one().wearables[0].device for _ in range(20)}
    assert len(ids) == 20
    assert all(len(device) == 22 for device in ids)


def test_an_apple_identifier_is_an_address_too() -> None:
    apple = "6c9a7e3e-8f1b-4a64-b6f9-3f3a1c8e0c11"
    assert _one(apple).find_by_address(apple.upper()) is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "C0:FF:EE"),
        ("user", "a b"),
        ("user", ""),
        ("name", "bell\x07"),
        ("added_at", -1),
    ],
)
def test_what_cannot_be_is_refused_by_name(field: str, value: object) -> None:
    arguments: dict[str, object] = {
        "address": _ADDRESS,
        "user": "ada",
        "name": "strap",
        "added_at": 1,
        field: value,
    }
    with pytest.raises(WearablesError) as refused:
        Wearables().add(**arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert field.removesuffix("s") in str(refused.value)


def test_the_same_wearable_twice_is_refused() -> None:
    with pytest.raises(WearablesError, match=r"chest strap.*ada"):
        _one().add(address=_ADDRESS.lower(), user="bob", name="mine", added_at=2)


def test_removing_and_giving_away() -> None:
    known = _one()
    device = known.wearables[0].device
    assert known.give_to(device, "bob").wearer_of(device) == "bob"
    assert known.wearer_of(device) == "ada"
    assert len(known.remove(device)) == 0
    with pytest.raises(WearablesError, match="other"):
        known.remove("other")
    with pytest.raises(WearablesError, match="other"):
        known.give_to("other", "bob")
    with pytest.raises(WearablesError, match="user"):
        known.give_to(device, "not a user")


def test_no_file_is_no_wearables(tmp_path: Path) -> None:
    assert WearablesFile(tmp_path / "new").load() == Wearables()


def test_what_is_written_is_read_again_and_is_the_owners_alone(tmp_path: Path) -> None:
    file = WearablesFile(tmp_path / "state")
    written = file.change(lambda _: _one())
    assert WearablesFile(tmp_path / "state").load() == written
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["wearables.json"]


def test_a_change_that_fails_leaves_the_file(tmp_path: Path) -> None:
    file = WearablesFile(tmp_path)
    before = file.change(lambda _: _one())
    with pytest.raises(WearablesError):
        file.change(lambda known: known.remove("nobody"))
    assert file.load() == before


def test_a_write_that_fails_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = WearablesFile(tmp_path)
    before = file.change(lambda _: _one())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(WearablesError, match=r"cannot write .*wearables.json.*No space"):
            file.change(lambda known: known.remove(known.wearables[0].device))
    assert file.load() == before
    assert [path.name for path in tmp_path.iterdir()] == ["wearables.json"]


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    first, second = WearablesFile(tmp_path), WearablesFile(tmp_path)
    first.change(lambda known: known.add(address=_ADDRESS, user="a", name="", added_at=1)[0])
    second.change(lambda known: known.add(address=_OTHER, user="b", name="", added_at=2)[0])
    assert len(first.load()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "wearables": []}',
        '{"version": 1, "wearables": [], "extra": 1}',
        '{"version": 1, "wearables": [{"device": "d"}]}',
    ],
)
def test_a_damaged_file_is_named_and_kept(tmp_path: Path, text: str) -> None:
    file = WearablesFile(tmp_path)
    file.path.write_text(text)
    with pytest.raises(WearablesError, match=r"wearables.json is damaged.*strapline up"):
        file.change(lambda known: known)
    assert file.path.read_text() == text


@pytest.mark.parametrize("field", ["device", "addresses"])
def test_a_file_with_something_twice_is_damaged(tmp_path: Path, field: str) -> None:
    file = WearablesFile(tmp_path)
    tree = json.loads(_one().model_dump_json())
    twin = json.loads(_one(_OTHER).model_dump_json())["wearables"][0]
    twin[field] = tree["wearables"][0][field]
    tree["wearables"].append(twin)
    file.path.write_text(json.dumps(tree))
    with pytest.raises(WearablesError, match="damaged") as refused:
        file.load()
    assert _ADDRESS not in str(refused.value)


def test_a_folder_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    WearablesFile(tmp_path / "state").change(lambda _: _one())
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WearablesError, match=r"cannot write .*state_dir"):
        WearablesFile(tmp_path / "file" / "state").change(lambda _: _one())
