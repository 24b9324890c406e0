import torch
from torch import Tensor

from mdrnets.networks.diagonals import sum_covering, sum_neighbours


def _maps() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 4, 3, 4, generator=generator, dtype=torch.float64)


def test_neighbours_along_one_diagonal_are_summed_with_zeros_outside() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    expected = torch.tensor([[6.0, 8.0, 3.0], [12.0, 15.0, 8.0], [7.0, 12.0, 14.0]])
    assert torch.equal(sum_neighbours(x, (0, 1)), expected)


def test_cells_sum_the_patches_that_cover_them() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = torch.tensor([[1.0, 2.0, 0.0], [3.0, 5.0, 2.0], [0.0, 3.0, 4.0]])
    assert torch.equal(sum_covering(x, (0, 1)), expected)


def test_gradients_agree_with_differences() -> None:
    x = _maps().requires_grad_()
    for dims in ((1, 3), (2, 4)):
        for function in (sum_neighbours, sum_covering):
            assert torch.autograd.gradcheck(lambda y, f=function, d=dims: f(y, d), x)
