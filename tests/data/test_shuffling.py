from hypothesis import given
from hypothesis import strategies as st

from mdrnets.data.shuffling import shuffle_by_hash

NAME = st.text("ab/é01", max_size=6)
NAMES = st.lists(NAME, unique=True, max_size=30)


@given(names=NAMES, data=st.data())
def test_the_order_depends_on_names_and_key_alone(names, data) -> None:
    order = shuffle_by_hash(names, 7, "holes")
    assert sorted(order) == sorted(names)
    assert shuffle_by_hash(data.draw(st.permutations(names)), 7, "holes") == order


@given(names=NAMES, data=st.data())
def test_a_name_more_moves_no_other(names, data) -> None:
    more = data.draw(NAME.filter(lambda name: name not in names))
    assert [name for name in shuffle_by_hash([*names, more], 7) if name != more] == shuffle_by_hash(
        names, 7
    )


def test_the_order_is_as_published() -> None:
    names = [str(n) for n in range(6)]
    assert shuffle_by_hash(names, 2204, "rendered_a", "1-20") == ["2", "5", "0", "3", "1", "4"]


def test_every_part_of_the_key_counts() -> None:
    names = [str(n) for n in range(50)]
    orders = [
        shuffle_by_hash(names, *key) for key in [(1, "a"), (2, "a"), (1, "b"), (1, "a", "c"), (1,)]
    ]
    assert len({tuple(order) for order in orders}) == 5


def test_every_place_is_equally_likely() -> None:
    draws = 3000
    firsts = [shuffle_by_hash("abcd", seed)[0] for seed in range(draws)]
    for name in "abcd":
        assert abs(firsts.count(name) / draws - 1 / 4) < 0.04
