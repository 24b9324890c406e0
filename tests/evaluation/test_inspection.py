from collections.abc import Callable

import numpy as np
import pytest
import torch

from mdrnets.data.assignment import Pair
from mdrnets.data.classes import CLASSES
from mdrnets.data.pixels import to_tensor
from mdrnets.evaluation.inspection import Inspection, most_read, nearest_styles
from mdrnets.evaluation.memory_use import NONE
from mdrnets.methods.mdrnets.method import MDRNets

MakeMethod = Callable[..., MDRNets]
COUNT, SIZE, SLOTS = 5, 32, 3


def _inspection(method: MDRNets) -> Inspection:
    """Of noise; the holes are growing rectangles."""
    generator = np.random.default_rng(4)
    holes = np.zeros((COUNT, SIZE, SIZE), dtype=bool)
    for at in range(COUNT):
        holes[at, 4 : 8 + 4 * at, 6:26] = True
    return Inspection(
        method.eval(),
        images=generator.integers(0, 256, (COUNT, SIZE, SIZE, 3), dtype=np.uint8),
        holes=holes,
        batch_size=2,
        precision="32-true",
    )


def _pairs() -> list[Pair]:
    return [Pair(f"{at}", at, "1-20", f"{at}", COUNT - 1 - at, 0.1, "test") for at in range(COUNT)]


@pytest.mark.parametrize("memory", ["per_class", "shared"])
def test_reads_are_counted_by_class_and_best_slot(small_method: MakeMethod, memory: str) -> None:
    method = small_method(memory=memory)
    assert method.memory is not None
    inspection, pairs = _inspection(method), _pairs()
    use = inspection.memory(method.memory, pairs, np.arange(COUNT), shown=2)

    chosen = np.zeros((len(CLASSES), SLOTS), dtype=np.int64)
    entropies: list[list[float]] = [[] for _ in CLASSES]
    lengths: list[list[float]] = [[] for _ in CLASSES]
    for pair in pairs:  # one at a time, one class at a time
        image = to_tensor(inspection.images[[pair.image_row]])
        hole = torch.from_numpy(inspection.holes[[pair.hole_row]]).float()[:, None]
        with torch.no_grad():
            coarse = method.complete_coarsely(image * (1 - hole), hole)
            query = method.pool_style(coarse, method.frozen("parser").parse(coarse))
        for label in range(len(CLASSES)):
            if query.present[0, label]:
                block = method.memory.slots[label if memory == "per_class" else 0]
                row = query.means[0, label]
                cosines = torch.cosine_similarity(row[None], block)
                chosen[label, int(cosines.argmax())] += 1
                attention = torch.softmax(cosines, dim=0)
                entropies[label].append(-(attention * attention.log()).sum().item())
                lengths[label].append(((attention @ block).norm() / row.norm()).item())

    np.testing.assert_array_equal(use.chosen, chosen)
    assert use.chosen.sum() == sum(map(len, entropies)) > COUNT
    for result, collected in ((use.entropy, entropies), (use.length, lengths)):
        means = [np.mean(values) if values else np.nan for values in collected]
        np.testing.assert_allclose(result, means, rtol=1e-5)


def test_slots_have_the_nearest_parts_of_the_images_that_were_sought(
    small_method: MakeMethod,
) -> None:
    method = small_method()
    assert method.memory is not None
    inspection, rows = _inspection(method), np.array([3, 0, 4])
    use = inspection.memory(method.memory, _pairs(), rows, shown=2)
    assert use.images.shape == (len(CLASSES), 2, 2)
    assert use.regions.shape == (len(CLASSES), 2, 2, SIZE, SIZE)
    assert set(use.images.flat) <= {NONE, 0, 3, 4}

    images = to_tensor(inspection.images)
    labels = method.frozen("parser").parse(images)
    with torch.no_grad():
        styles = method.pool_style(images, labels)
    shown = 0
    for (label, at), slot in np.ndenumerate(use.slots):
        if slot == NONE:
            assert not use.regions[label, at].any()
            continue
        vector = method.memory.slots[label, slot]
        cosines = torch.cosine_similarity(styles.means[:, label], vector[None])
        candidates = [row for row in rows if styles.present[row, label]]
        expected = sorted(candidates, key=lambda row: -cosines[row].item())[:2]
        for number, row in enumerate(expected):
            assert use.images[label, at, number] == row
            assert use.cosines[label, at, number] == pytest.approx(cosines[row].item(), abs=1e-5)
            np.testing.assert_array_equal(use.regions[label, at, number], labels[row] == label)
            shown += 1
        assert (use.images[label, at, len(expected) :] == NONE).all()
    assert shown > 4


def test_looking_changes_no_memory(small_method: MakeMethod) -> None:
    method = small_method()
    assert method.memory is not None
    before = {name: value.clone() for name, value in method.memory.state_dict().items()}
    _inspection(method).memory(method.memory, _pairs(), np.arange(2), shown=1)
    for name, value in method.memory.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_the_parser_is_given_images_or_their_coarse_composites(small_method: MakeMethod) -> None:
    method = small_method()
    inspection, pairs = _inspection(method), _pairs()
    parser = method.frozen("parser")
    images = to_tensor(inspection.images)
    holes = torch.from_numpy(inspection.holes[::-1].copy()).float()[:, None]
    with torch.no_grad():
        coarse = method.complete_coarsely(images * (1 - holes), holes)
    for complete, source in ((True, images), (False, coarse)):
        result = inspection.parse(pairs, complete=complete)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, parser.parse(source))
    assert not torch.equal(parser.parse(images), parser.parse(coarse))


def test_the_slots_read_most_come_first_and_unread_ones_not_at_all() -> None:
    chosen = np.array([[0, 5, 2, 5], [0, 0, 1, 0], [0, 0, 0, 0]])
    expected = [[1, 3, 2], [2, NONE, NONE], [NONE, NONE, NONE]]
    np.testing.assert_array_equal(most_read(chosen, 3), expected)


def test_the_nearest_images_have_the_class() -> None:
    similarity = torch.tensor([[[0.1]], [[0.9]], [[0.5]], [[0.7]]])  # four images, K = M = 1
    present = torch.tensor([[True], [False], [True], [True]])
    nearest, cosines = nearest_styles(similarity, present, np.array([[0]]), 2)
    np.testing.assert_array_equal(nearest, [[[3, 2]]])
    np.testing.assert_allclose(cosines, [[[0.7, 0.5]]])
    nearest, cosines = nearest_styles(similarity, present, np.array([[0, NONE]]), 4)
    np.testing.assert_array_equal(nearest, [[[3, 2, 0, NONE], [NONE] * 4]])
    assert cosines[0, 0, 3] == 0
