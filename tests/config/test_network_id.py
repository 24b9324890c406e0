import pytest

from mdrnets.config.network_id import NetworkId


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pconv", ("pconv", "", 1)),
        ("mdrnets@small", ("mdrnets", "small", 1)),
        ("pconv@seed2", ("pconv", "", 2)),
        ("mdrnets@small@seed12", ("mdrnets", "small", 12)),
        ("mdrnets@seedless", ("mdrnets", "seedless", 1)),
    ],
)
def test_a_name_tells_method_variant_and_training(name: str, parts: tuple[str, str, int]) -> None:
    assert NetworkId.parse(name) == NetworkId(*parts)
    assert str(NetworkId(*parts)) == name
