from dataclasses import replace

import numpy as np
import pytest
import torch

from mdrnets.data.dataset import TrainingData
from mdrnets.data.pixels import to_pixels
from mdrnets.errors import UserError
from mdrnets.training.sampling import BatchSampler
from tests.helpers.toy import SIZE, toy_data


def _sampler(
    data: TrainingData,
    *,
    seed: int = 1,
    phase: int = 0,
    batch_size: int = 4,
    labels: bool = False,
    rank: int = 0,
    ranks: int = 1,
) -> BatchSampler:
    return BatchSampler(
        data=data,
        seed=seed,
        phase=phase,
        batch_size=batch_size,
        labels=labels,
        device=torch.device("cpu"),
        rank=rank,
        ranks=ranks,
    )


def _number_rows() -> TrainingData:
    """Each image, and each label map, is filled with its own row."""
    data = toy_data()
    images = (
        np.zeros_like(data.images)
        + np.arange(len(data.images), dtype=np.uint8)[:, None, None, None]
    )
    return replace(data, images=images)


def _draw_rows(sampler: BatchSampler, steps: range) -> list[int]:
    rows: list[int] = []
    for step in steps:
        rows += to_pixels(sampler.batch(step).image)[:, 0, 0, 0].tolist()
    return rows


def test_a_batch_has_the_shapes_and_ranges_of_the_interface() -> None:
    batch = _sampler(toy_data(), labels=True).batch(1)
    assert batch.image.shape == (4, 3, SIZE, SIZE) and batch.image.dtype == torch.float32
    assert batch.image.min() >= -1 and batch.image.max() <= 1 and batch.image.min() < -0.9
    assert batch.hole.shape == (4, 1, SIZE, SIZE)
    assert set(batch.hole.unique().tolist()) == {0.0, 1.0}
    assert batch.labels is not None
    assert batch.labels.shape == (4, SIZE, SIZE) and batch.labels.dtype == torch.int64


def test_a_batch_depends_on_its_step_and_not_on_what_was_drawn_before() -> None:
    forwards = _sampler(toy_data())
    batches = [forwards.batch(step) for step in range(1, 9)]
    for step in (5, 2, 8):
        again = _sampler(toy_data()).batch(step)
        assert torch.equal(again.image, batches[step - 1].image)
        assert torch.equal(again.hole, batches[step - 1].hole)


@pytest.mark.parametrize(("seed", "phase"), [(2, 0), (1, 1)])
def test_another_seed_or_phase_gives_other_batches(seed: int, phase: int) -> None:
    batch = _sampler(toy_data(), seed=1, phase=0).batch(1)
    changed = _sampler(toy_data(), seed=seed, phase=phase).batch(1)
    assert not torch.equal(batch.image, changed.image)
    assert not torch.equal(batch.hole, changed.hole)


@pytest.mark.parametrize("batch_size", [1, 4, 9, 20])
def test_each_epoch_has_every_training_image_once(batch_size: int) -> None:
    data = _number_rows()
    epoch = len(data.image_rows)  # 9: no multiple of most batch sizes
    rows = _draw_rows(_sampler(data, batch_size=batch_size), range(1, 2 + 3 * epoch // batch_size))
    epochs = [rows[begin : begin + epoch] for begin in range(0, 3 * epoch, epoch)]
    assert all(sorted(rows) == data.image_rows.tolist() for rows in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_ranks_shares_are_the_batch(ranks: int) -> None:
    whole = _sampler(toy_data(), labels=True)
    shares = [_sampler(toy_data(), labels=True, rank=rank, ranks=ranks) for rank in range(ranks)]
    for step in (1, 3):
        batch, parts = whole.batch(step), [share.batch(step) for share in shares]
        assert torch.equal(batch.image, torch.cat([part.image for part in parts]))
        assert torch.equal(batch.hole, torch.cat([part.hole for part in parts]))
        assert batch.labels is not None
        labels = [part.labels for part in parts if part.labels is not None]
        assert torch.equal(batch.labels, torch.cat(labels))


def test_a_map_is_computed_once_for_each_image_and_mirrored_with_it() -> None:
    seen: list[bytes] = []

    def bright(image: np.ndarray) -> np.ndarray:
        seen.append(image.tobytes())
        return image[..., 0] > 127

    data = toy_data()
    sampler = BatchSampler(
        data=data,
        seed=1,
        phase=0,
        batch_size=4,
        labels=False,
        device=torch.device("cpu"),
        image_map=bright,
    )
    for step in range(1, 1 + len(data.image_rows)):  # four epochs
        batch = sampler.batch(step)
        assert batch.image_map is not None
        assert torch.equal(batch.image_map, (batch.image[:, :1] > 0).float())
    assert sorted(seen) == sorted(image.tobytes() for image in data.images[data.image_rows])


def test_with_labels_only_labelled_training_images_are_drawn() -> None:
    data = _number_rows()
    rows = _draw_rows(_sampler(data, labels=True), range(1, 8))
    assert set(rows) == set(data.labelled_rows.tolist())


def test_images_and_labels_are_mirrored_together() -> None:
    data = toy_data()
    assert data.labels is not None
    originals = data.labels[data.label_rows]
    # The label map says what the image shows: class = red.
    images = np.zeros_like(data.images)
    images[data.labelled_rows, :, :, 0] = originals
    data = replace(data, images=images)

    mirrored = {False: 0, True: 0}
    for step in range(1, 9):
        batch = _sampler(data, labels=True).batch(step)
        assert batch.labels is not None
        red = torch.from_numpy(to_pixels(batch.image)[:, :, :, 0]).long()
        assert torch.equal(red, batch.labels)
        for labels in batch.labels.numpy():
            mirrored[not any(np.array_equal(labels, original) for original in originals)] += 1
    assert min(mirrored.values()) > 5


def test_only_training_holes_are_drawn_and_all_of_them() -> None:
    data = toy_data()
    # Their areas tell them apart: a variant covers at most 60 %, which is less than each of them.
    holes = np.zeros((3, SIZE, SIZE), dtype=bool)
    holes[0, :10], holes[1, :11], holes[2] = True, True, True
    holes[2, 0, 0] = False
    data = replace(data, holes=holes, hole_rows=np.array([0, 2]))
    areas = {int(hole.sum()) for step in range(1, 20) for hole in _sampler(data).batch(step).hole}
    assert {10 * SIZE, SIZE * SIZE - 1} <= areas
    assert 11 * SIZE not in areas


def test_the_arrays_of_the_data_set_stay_as_they_are() -> None:
    data = toy_data()
    before = [data.images.copy(), data.holes.copy()]
    _sampler(data).batch(1).image.zero_()
    assert np.array_equal(data.images, before[0]) and np.array_equal(data.holes, before[1])


@pytest.mark.parametrize(
    "data",
    [
        replace(toy_data(), labels=None),
        replace(toy_data(), labelled_rows=np.zeros(0, int), label_rows=np.zeros(0, int)),
    ],
)
def test_labels_that_do_not_exist_are_refused(data: TrainingData) -> None:
    with pytest.raises(UserError, match="labels"):
        _sampler(data, labels=True)
