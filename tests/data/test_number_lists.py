from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdrnets.config.load import load_config
from mdrnets.data.number_lists import read_numbers, select_numbers
from mdrnets.data.splits import TEST_IDS
from mdrnets.errors import UserError

WHERE = Path("faces.zip")


@given(st.sets(st.integers(0, 99), min_size=1), st.sampled_from(("{}.jpg", "{:05}_hair.png")))
def test_the_listed_images_are_selected_in_their_order(numbers: set[int], form: str) -> None:
    names = [form.format(number) for number in range(100)]
    selected = select_numbers(names, numbers, name=str, where=WHERE)
    assert selected == [form.format(number) for number in sorted(numbers)]


@pytest.mark.parametrize("names", [["7.png"], ["12a.png", "x12.png", "120.png"], []])
def test_a_number_without_an_image_is_refused(names: list[str]) -> None:
    with pytest.raises(UserError, match=r"^faces\.zip: .*\b12\b"):
        select_numbers(names, {12}, name=str, where=WHERE)


@pytest.mark.parametrize("content", [b"", b"12\nface\n", b"-1\n", b"\xff\n", None])
def test_another_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "numbers.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"numbers\.txt: "):
        read_numbers(path)


def test_the_public_profile_keeps_the_published_split() -> None:
    test = read_numbers(TEST_IDS)
    chosen = read_numbers(Path("profiles/numbers/celebahq64.txt"))
    assert (len(chosen & test), len(chosen - test)) == (200, 2_800)
    sources = load_config("celebahq64").profile.sources.values()
    assert all(
        len(read_numbers(Path(source.numbers))) == source.files
        for source in sources
        if source.numbers and source.files
    )


def test_the_public_profile_has_the_holes_of_the_private_one() -> None:
    public, private = (load_config(name).profile for name in ("celebahq64", "real64"))
    rest = {"source"}
    assert public.holes.model_dump(exclude=rest) == private.holes.model_dump(exclude=rest)
