"""Where the token of a connection comes from."""

import pytest

from strapline_client.errors import TokenSourceError
from strapline_client.token import TokenKeeper


async def test_a_given_token_is_kept_until_the_server_issues_another() -> None:
    keeper = TokenKeeper("first")
    assert await keeper.fresh() == "first"
    keeper.keep("second")
    assert await keeper.fresh() == "second"


async def test_a_function_is_asked_each_time() -> None:
    made = iter(["one", "two"])

    async def make() -> str:
        return next(made)

    keeper = TokenKeeper(make)
    assert [await keeper.fresh(), await keeper.fresh()] == ["one", "two"]


async def test_a_function_that_fails_is_an_error_of_ours_with_its_cause() -> None:
    async def make() -> str:
        raise OSError("the keyring is locked")

    with pytest.raises(TokenSourceError, match="OSError") as caught:
        await TokenKeeper(make).fresh()
    assert isinstance(caught.value.__cause__, OSError)


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(TokenKeeper("secret"))
