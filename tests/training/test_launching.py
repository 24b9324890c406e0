import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.training.launching import launch


def test_one_device_needs_no_further_process() -> None:
    fabric = launch(device="cpu", devices=1, precision="bf16-mixed")
    assert (fabric.global_rank, fabric.world_size, fabric.device.type) == (0, 1, "cpu")
    assert not torch.distributed.is_initialized()
    with fabric.autocast():
        assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == torch.bfloat16


def test_fabric_leaves_no_slow_look_for_gpus_behind() -> None:
    launch(device="cpu", devices=1, precision="32-true")
    assert not torch.cuda._nvml_based_avail()


def test_a_missing_gpu_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device: "):
        launch(device="cuda", devices=2, precision="32-true")
