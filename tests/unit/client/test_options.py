"""What a service is told, checked when it is told; addresses are tested with the service."""

import pytest

from strapline_client.options import Options


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("ws://localhost:8420/ws", True),
        ("ws://127.0.0.1/ws", True),
        ("ws://[::1]/ws", True),
        ("wss://example.org/ws", False),
    ],
)
def test_it_knows_this_machine(url: str, local: bool) -> None:
    assert Options(url).local is local


def test_a_program_knows_all_registered_metrics_unless_it_says_otherwise() -> None:
    assert {"heart_rate", "steps", "battery"} <= set(Options("wss://e.org/ws").client.metrics)
