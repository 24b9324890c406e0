import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18
from torchvision.transforms.functional import normalize

from mdrnets.networks.bisenet import BiSeNet, ResNet18


@pytest.fixture
def network() -> BiSeNet:
    torch.manual_seed(0)
    return BiSeNet(n_classes=5, width=4)


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("n_classes", "parameters"), [(19, 13_300_416), (14, 13_298_496)])
def test_it_has_the_published_size(n_classes: int, parameters: int) -> None:
    with torch.device("meta"):
        assert _count(BiSeNet(n_classes=n_classes)) == parameters


def test_the_backbone_is_torchvisions_resnet18() -> None:
    torch.manual_seed(0)
    reference = resnet18(weights=None).eval()
    for module in reference.modules():  # otherwise the statistics would be zeros and ones
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    # Both list their layers in the order of the network.
    weights = [v for name, v in reference.state_dict().items() if not name.startswith("fc.")]
    ours = ResNet18(width=64).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), weights, strict=True)))

    image = torch.randn(1, 3, 64, 64)
    x = reference.maxpool(reference.relu(reference.bn1(reference.conv1(image))))
    stride8 = reference.layer2(reference.layer1(x))
    stride16 = reference.layer3(stride8)
    for result, target in zip(
        ours(image), [stride8, stride16, reference.layer4(stride16)], strict=True
    ):
        torch.testing.assert_close(result, target)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (32, 96)])
def test_all_three_heads_answer_at_the_size_of_the_image(
    network: BiSeNet, size: tuple[int, int]
) -> None:
    heads = network.train().forward_with_auxiliary(torch.randn(2, 3, *size))
    assert [tuple(logits.shape) for logits in heads] == [(2, 5, *size)] * 3


def test_the_auxiliary_heads_do_not_change_the_main_one(network: BiSeNet) -> None:
    network.eval()
    image = torch.randn(2, 3, 32, 32)
    main, aux16, aux32 = network.forward_with_auxiliary(image)
    assert torch.equal(network(image), main)
    assert not torch.equal(aux16, aux32)


def test_each_head_reads_the_attention_that_is_its_own(network: BiSeNet) -> None:
    """What is refined at stride 32 reaches all heads; at stride 16, all but that of stride 32."""
    network.eval()
    image = torch.randn(1, 3, 32, 32)
    context = network.context
    for refinement, expected in [
        (context.attention32, [True, True, True]),
        (context.attention16, [True, True, False]),
    ]:
        before = network.forward_with_auxiliary(image)
        norm = refinement.attention[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.constant_(norm.bias, 1)
        after = network.forward_with_auxiliary(image)
        changed = [not torch.equal(a, b) for a, b in zip(after, before, strict=True)]
        assert changed == expected


def test_imagenets_mean_and_deviation_are_applied_inside(network: BiSeNet) -> None:
    seen: list[Tensor] = []
    network.context.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    network(image)
    target = normalize((image + 1) / 2, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    torch.testing.assert_close(seen[0], target)
    assert not {"mean", "std"} & set(network.state_dict())


def test_training_needs_two_images_and_inference_one(network: BiSeNet) -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        network.train()(torch.randn(1, 3, 32, 32))
    assert network.train()(torch.randn(2, 3, 32, 32)).isfinite().all()
    assert network.eval()(torch.randn(1, 3, 32, 32)).isfinite().all()


def test_every_parameter_is_trained_by_the_three_heads(network: BiSeNet) -> None:
    heads = network.train().forward_with_auxiliary(torch.randn(2, 3, 64, 64))
    torch.stack([logits.square().mean() for logits in heads]).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_no_strided_1x1_convolution_which_breaks_the_heap_on_cpu(network: BiSeNet) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            assert module.stride == (1, 1)
