"""Where the token of a connection comes from."""

import pytest

from strapline_client.errors import TokenSourceError
from strapline_client.token import TokenKeeper


async def test_a_given_token_is_kept_until_the_server_issues_another() -> None:
    keeper = TokenKeeper("first")
    assert await keeper.current() == "first"
    keeper.keep("second")
    assert await keeper.current() == "second"
    assert keeper.differs_from("first")
    keeper.refused("second")
    assert await keeper.current() == "second"


async def test_a_function_is_asked_for_the_first_and_where_one_was_refused() -> None:
    made = iter(["one", "two", "three"])

    async def make() -> str:
        return next(made)

    keeper = TokenKeeper(make)
    assert [await keeper.current(), await keeper.current()] == ["one", "one"]
    keeper.keep("issued")
    assert await keeper.current() == "issued"
    keeper.refused("issued")
    assert [await keeper.current(), await keeper.current()] == ["two", "two"]


async def test_one_new_token_is_tried_at_once_between_two_sessions_that_worked() -> None:
    async def make() -> str:
        return "t"

    keeper = TokenKeeper(make)
    assert keeper.can_renew()
    await keeper.renew()
    assert not keeper.can_renew()
    keeper.worked()
    assert keeper.can_renew()
    assert not TokenKeeper("given").can_renew()


async def test_a_function_that_fails_is_an_error_of_ours_with_its_cause() -> None:
    async def make() -> str:
        raise OSError("the keyring is locked")

    keeper = TokenKeeper(make)
    with pytest.raises(TokenSourceError, match="OSError") as caught:
        await keeper.current()
    assert isinstance(caught.value.__cause__, OSError)
    # It gave none, so that it may be asked at once again.
    assert keeper.can_renew()


@pytest.mark.parametrize("token", ["", "a secret", "secret\n", "sécret", "x" * 16_385])
async def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValueError, match="not a token") as refused:
        TokenKeeper(token)
    assert "secret" not in str(refused.value)

    async def make() -> str:
        return token

    with pytest.raises(TokenSourceError):
        await TokenKeeper(make).current()


async def test_a_token_of_ones_own_is_asked_of_nobody() -> None:
    with pytest.raises(TokenSourceError, match="no function"):
        await TokenKeeper("given").renew()


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(TokenKeeper("secret"))
