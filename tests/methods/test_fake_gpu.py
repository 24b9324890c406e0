"""Every network on a GPU that is not there: PyTorch's fake tensors on `cuda`.

They have shapes, types and devices, and no values. So a tensor on the wrong device, a wrong type or
a wrong generator fails here, and so does everything that waits for a value (`.item()`, a boolean
index, a branch), which on a GPU is a synchronisation. They show neither numbers nor kernels that
are missing on CUDA, and PyTorch's backward pass needs a real device: its gradients are made up
here. What needs a GPU is tested by the tests marked `gpu`.
"""

from functools import partial

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from mdrnets.methods.base import Batch, Method, Phase, Trainable
from mdrnets.metrics.features import EffNetLitePooled, InceptionFeatures
from mdrnets.metrics.pixel import l1, psnr
from mdrnets.metrics.ssim import ssim
from mdrnets.training import checks, loop
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from tests.helpers.random_inception import random_weights
from tests.helpers.tiny import SIZE, TRAINED
from tests.helpers.tiny_networks import tiny_network

GPU = torch.device("cuda", 0)
STEPS = 2


class NoEvent:
    """For `torch.cuda.Event`, which needs a driver."""

    def record(self) -> None: ...


@pytest.fixture
def fake() -> FakeTensorMode:
    return FakeTensorMode()


@pytest.fixture(autouse=True)
def autocast_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: True)


@pytest.fixture(autouse=True)
def edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """CTSDG's edges are computed by scikit-image, on the CPU."""
    monkeypatch.setattr(
        "mdrnets.methods.ctsdg.method.detect_edges", lambda grey, *, sigma: torch.ones_like(grey)
    )
    monkeypatch.setattr(
        "mdrnets.methods.ctsdg.method.detect_visible_edges",
        lambda masked, hole, *, sigma: torch.ones_like(hole),
    )


def _batch(phase: Phase) -> Batch:
    shape = (phase.batch_size, SIZE, SIZE)
    return Batch(
        image=torch.rand(shape[0], 3, SIZE, SIZE, device=GPU),
        hole=torch.ones(shape[0], 1, SIZE, SIZE, device=GPU),
        labels=torch.zeros(shape, dtype=torch.int64, device=GPU) if phase.labels else None,
    )


def _on_gpu(name: str, fake: FakeTensorMode) -> Trainable:
    # Rare codes are re-seeded only now and then, and their number is read for it.
    options = {"reseed_every": 1000} if name == "dsi" else {}
    network = tiny_network(name, **options)
    with fake:  # as `to(device)` does it
        return network._apply(lambda tensor: fake.from_tensor(tensor).to(GPU))


def _make_up_gradients(trainable: Trainable, loss: Tensor) -> None:
    assert loss.device == GPU and loss.dtype == torch.float32 and loss.requires_grad
    for parameter in trainable.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)


@pytest.mark.parametrize("name", TRAINED)
def test_a_step_never_waits_for_the_gpu_but_once_an_update_and_one_update_late(
    name: str, fake: FakeTensorMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainable = _on_gpu(name, fake)
    fabric = launch(device="cpu", devices=1, precision="32-true")
    autocast = partial(torch.autocast, "cuda", torch.bfloat16)
    monkeypatch.setattr(fabric, "autocast", autocast)
    monkeypatch.setattr(Tensor, "backward", lambda loss: _make_up_gradients(trainable, loss))
    monkeypatch.setattr(torch.cuda, "Event", NoEvent)
    log: list[str] = []
    monkeypatch.setattr(checks._Update, "read", lambda update, history: log.append("read"))

    with fake:
        phases = trainable.phases()
    for phase in phases:
        trainable.train()
        phase.on_enter()
        for optimiser in phase.optimisers.values():
            optimiser.register_step_pre_hook(lambda *_: log.append("update"))
        checked = checks.UpdateChecks(History())
        with fake:
            for _ in range(STEPS):
                loop.take_step(trainable, phase, _batch(phase), fabric, checked, RuntimeError)
        assert log.count("read") == log.count("update") - 1
        assert log[0] == "update" and "".join(log).count("readread") == 0
        log.clear()


@pytest.mark.parametrize("name", [n for n in TRAINED if n not in ("parser", "coarse", "recon")])
def test_completions_run_on_a_gpu(
    name: str, fake: FakeTensorMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sample(*arguments: object, generator: torch.Generator, **options: object) -> Tensor:
        return arguments[1]  # type: ignore[return-value]  # the tokens

    # Its course depends on the values.
    monkeypatch.setattr("mdrnets.methods.ict.method.sample_masked", sample)
    method = _on_gpu(name, fake).eval()
    assert isinstance(method, Method)
    autocast = torch.autocast("cuda", torch.bfloat16)
    with fake, torch.no_grad(), autocast:
        image = torch.rand(2, 3, SIZE, SIZE, device=GPU)
        hole = torch.ones(2, 1, SIZE, SIZE, device=GPU)
        completed = method.complete(image, hole, torch.Generator("cpu"))
    assert completed.device == GPU and completed.shape == image.shape


@pytest.mark.parametrize("name", ["effnet-lite0", "inception-v3"])
def test_features_run_on_a_gpu(name: str, fake: FakeTensorMode) -> None:
    network = (
        EffNetLitePooled()
        if name == "effnet-lite0"
        else InceptionFeatures(weights=random_weights())
    )
    with fake, torch.no_grad():
        network._apply(lambda tensor: fake.from_tensor(tensor).to(GPU))
        features = network(torch.rand(2, 3, SIZE, SIZE, device=GPU))
    assert features.device == GPU and features.shape == (2, network.dimensions)


def test_scores_run_on_a_gpu(fake: FakeTensorMode) -> None:
    with fake:
        image = torch.zeros(2, SIZE, SIZE, 3, dtype=torch.uint8, device=GPU)
        scores = [l1(image, image), psnr(image, image), *ssim([image], image)]
    for values in scores:
        assert values.device == GPU and values.shape == (2,)
