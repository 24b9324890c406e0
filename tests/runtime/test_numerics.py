import os
import platform
from collections.abc import Iterator

import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.runtime.numerics import autocast, keep_freed_memory, set_numerics


@pytest.fixture(autouse=True)
def restore_settings() -> Iterator[None]:
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.deterministic = torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
    if workspace is None:
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_what_is_set_is_what_is_recorded(precision: str) -> None:
    recorded = set_numerics(device="cpu", precision=precision, threads=1)
    assert torch.get_num_threads() == recorded["threads"] == 1
    assert torch.are_deterministic_algorithms_enabled() and recorded["deterministic"] == "always"
    assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
    assert recorded["precision"] == precision
    assert recorded["torch"] == torch.__version__


@pytest.mark.parametrize(("deterministic", "logged"), [(True, "where possible"), (False, "no")])
def test_a_gpu_is_deterministic_if_the_profile_says_so(
    monkeypatch: pytest.MonkeyPatch, deterministic: bool, logged: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    recorded = set_numerics(
        device="cuda", precision="32-true", threads=1, deterministic=deterministic
    )
    assert recorded["deterministic"] == logged
    assert torch.are_deterministic_algorithms_enabled() is deterministic
    assert torch.backends.cudnn.deterministic is deterministic
    assert torch.backends.cudnn.benchmark is not deterministic
    # An operation without a deterministic implementation warns on a GPU, and is an error on a CPU.
    assert torch.is_deterministic_algorithms_warn_only_enabled() is deterministic


def test_a_cpu_is_always_deterministic() -> None:
    recorded = set_numerics(device="cpu", precision="32-true", threads=1, deterministic=False)
    assert recorded["deterministic"] == "always"
    assert torch.are_deterministic_algorithms_enabled()


def test_freed_memory_is_kept_with_glibc() -> None:
    assert keep_freed_memory() is (platform.libc_ver()[0] == "glibc")


def test_the_record_is_plain() -> None:
    recorded = set_numerics(device="cpu", precision="32-true", threads=1)
    assert all(type(value) in (str, int, bool) for value in recorded.values())


def test_a_missing_gpu_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device: "):
        set_numerics(device="cuda", precision="32-true", threads=1)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_networks_run_in_the_profiles_precision(precision: str, dtype: torch.dtype) -> None:
    with autocast(torch.device("cpu"), precision):
        output = torch.nn.Linear(2, 2)(torch.zeros(1, 2))
    assert output.dtype == dtype
