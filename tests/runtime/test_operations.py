import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.runtime.operations import MacCounter


def test_convolutions_and_products_count_as_in_pytorchs_counter() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 4), nn.Flatten(), nn.Linear(4 * 13**2, 5)
    )
    image = torch.rand(2, 3, 12, 12)
    with FlopCounterMode(display=False) as reference:
        network(image).square().mean().backward()
    with MacCounter() as counter:
        network(image).square().mean().backward()
    assert counter.macs == reference.get_total_flops() // 2 > 0


def test_attention_counts_as_its_two_products() -> None:
    heads, length, width = 2, 50, 8
    query = torch.rand(1, heads, length, width)
    with torch.no_grad(), MacCounter() as counter:
        F.scaled_dot_product_attention(query, query, query)
    assert counter.macs == heads * 2 * length**2 * width


def test_the_result_is_that_of_the_operation() -> None:
    image, weight = torch.rand(1, 1, 5, 5), torch.rand(1, 1, 3, 3)
    with MacCounter():
        result = F.conv2d(image, weight)
    assert torch.equal(result, F.conv2d(image, weight))
