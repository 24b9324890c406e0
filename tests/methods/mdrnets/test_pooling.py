import pytest
import torch

from mdrnets.methods.mdrnets.pooling import (
    class_areas,
    class_regions,
    pool_regions,
    scatter_to_map,
)

SIZE = torch.Size((4, 4))


@pytest.fixture
def labels() -> torch.Tensor:
    """1×8×8: class 0 left, 1 right; class 2 one pixel that nearest neighbour at 4×4 keeps."""
    labels = torch.zeros(1, 8, 8, dtype=torch.int64)
    labels[:, :, 4:] = 1
    labels[0, 2, 2] = 2
    return labels


def test_nearest_regions_are_the_one_hot_map_of_every_other_pixel(labels: torch.Tensor) -> None:
    regions = class_regions(labels, classes=4, size=SIZE)
    assert regions.shape == (1, 4, 4, 4)
    assert torch.equal(regions.sum(dim=1), torch.ones(1, 4, 4))
    assert torch.equal(regions.argmax(dim=1), labels[:, ::2, ::2])


def test_the_classes_of_a_one_hot_map_pool_to_exactly_their_means(labels: torch.Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randint(-8, 8, (1, 3, 4, 4), generator=generator).float()
    regions = class_regions(labels, classes=4, size=SIZE)
    pooled = pool_regions(features, regions)
    small = labels[0, ::2, ::2]
    for index in range(3):  # integers, so that no order of summation rounds
        expected = features[0, :, small == index].mean(dim=1)
        assert torch.equal(pooled.means[0, index], expected)
    assert pooled.present.tolist() == [[True, True, True, False]]


def test_an_absent_class_is_a_row_of_zeros_with_zero_gradient(labels: torch.Tensor) -> None:
    features = torch.randn(1, 3, 4, 4, requires_grad=True)
    regions = class_regions(labels, classes=4, size=SIZE)
    means = pool_regions(features, regions).means
    assert torch.equal(means[0, 3], torch.zeros(3))
    (gradient,) = torch.autograd.grad(means[0, 3].sum(), features)
    assert torch.equal(gradient, torch.zeros_like(features))


def test_samples_do_not_mix(labels: torch.Tensor) -> None:
    both = torch.cat([labels, 1 - labels.clamp(max=1)])
    features = torch.randn(2, 3, 4, 4)
    regions = class_regions(both, classes=4, size=SIZE)
    together = pool_regions(features, regions).means
    alone = pool_regions(features[1:], regions[1:]).means
    torch.testing.assert_close(together[1:], alone)


def test_area_regions_count_the_pixels_of_each_cell(labels: torch.Tensor) -> None:
    part = torch.ones(1, 1, 8, 8)
    part[..., 2:4, 2:4] = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    areas = class_areas(labels, part, classes=4, size=SIZE)
    assert areas[0, :, 1, 1].tolist() == [0.5, 0.0, 0.25, 0.0]
    assert areas.sum().item() == pytest.approx(63 / 4)


def test_areas_keep_a_class_that_nearest_neighbour_loses(labels: torch.Tensor) -> None:
    labels = labels.roll(1, dims=2)  # the pixel of class 2 now lies at an odd position
    features = torch.randn(1, 3, 4, 4)
    nearest = pool_regions(features, class_regions(labels, classes=4, size=SIZE))
    areas = class_areas(labels, torch.ones(1, 1, 8, 8), classes=4, size=SIZE)
    assert not nearest.present[0, 2]
    pooled = pool_regions(features, areas)
    assert pooled.present[0, 2]
    torch.testing.assert_close(pooled.means[0, 2], features[0, :, 1, 1])


def test_scatter_to_map_gives_each_pixel_the_row_of_its_class(labels: torch.Tensor) -> None:
    rows = torch.randn(1, 4, 3)
    maps = scatter_to_map(rows, class_regions(labels, classes=4, size=SIZE))
    expected = rows[0][labels[0, ::2, ::2]].permute(2, 0, 1)
    assert torch.equal(maps[0], expected)


def test_pooling_stays_in_full_precision_under_autocast(labels: torch.Tensor) -> None:
    features = torch.randn(1, 3, 4, 4)
    regions = class_regions(labels, classes=4, size=SIZE)
    expected = pool_regions(features, regions).means
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(pool_regions(features, regions).means, expected)
