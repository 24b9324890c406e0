"""Compiled networks: no graph break in any of them, and the same results within tolerance."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.fx import GraphModule

from mdrnets.methods.base import Method, Trainable
from mdrnets.methods.compiling import compile_networks
from mdrnets.training import loop
from mdrnets.training.launching import launch
from tests.helpers.tiny import SIZE, TRAINED
from tests.helpers.tiny_networks import tiny_network, train_tiny


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def _train(network: Trainable, folder: Path, *, compiled: bool) -> list[dict[str, float]]:
    """Train it. Returns the loss terms of each step."""
    fabric = launch(device="cpu", devices=1, precision="32-true")
    options: dict[str, Any] = {"compiled": compiled, "log_every": 1, "checkpoint_every": 100}
    rows = train_tiny(network, folder, fabric, **options).rows
    return [{term: value for term, value in row.items() if term != "phase"} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_every_network_is_compiled_without_a_graph_break(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a backend that runs what was captured: a break would be an error."""
    ran: set[nn.Module] = set()
    called: set[nn.Module] = set()

    def compile_and_watch(network: Trainable) -> None:
        def watch(part: nn.Module) -> None:
            def backend(graph: GraphModule, inputs: list[Any]) -> Any:
                def run(*arguments: Any) -> Any:
                    ran.add(part)
                    return graph.forward(*arguments)

                return run

            compile_part(part, backend=backend, fullgraph=True)
            compiled = part._compiled_call_impl

            def call(*arguments: Any, **options: Any) -> Any:
                called.add(part)
                return compiled(*arguments, **options)

            part._compiled_call_impl = call

        compile_part = nn.Module.compile
        with monkeypatch.context() as patch:
            patch.setattr(nn.Module, "compile", lambda part, **_: watch(part))
            compile_networks(network)

    monkeypatch.setattr(loop, "compile_networks", compile_and_watch)
    expected, result = (tiny_network(name, steps=3) for _ in range(2))
    _train(expected, tmp_path / "eager", compiled=False)
    _train(result, tmp_path / "compiled", compiled=True)
    weights = result.state_dict()
    for key, value in expected.state_dict().items():
        torch.testing.assert_close(weights[key], value, rtol=1e-4, atol=1e-5, msg=key)
    assert called and ran == called


@pytest.mark.slow
@pytest.mark.parametrize("name", ["coarse", "mdrnets"])
def test_a_compiled_training_has_the_same_losses(name: str, tmp_path: Path) -> None:
    """Losses and not weights: Adam moves a bias before a norm, whose gradient is only rounding."""
    expected, result = (
        _train(tiny_network(name, steps=3), tmp_path / str(compiled), compiled=compiled)
        for compiled in (False, True)
    )
    assert len(expected) == 3
    for row, compiled_row in zip(expected, result, strict=True):
        assert compiled_row == pytest.approx(row, rel=1e-3, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in TRAINED if n not in ("parser", "coarse", "recon")])
def test_compiled_completions_are_the_same(name: str) -> None:
    method = tiny_network(name).eval()
    assert isinstance(method, Method)
    list(method.phases())
    generator = torch.Generator().manual_seed(1)
    masked = torch.rand(2, 3, SIZE, SIZE, generator=generator) * 2 - 1
    hole = torch.zeros(2, 1, SIZE, SIZE)
    hole[:, :, 16:40, 20:50] = 1
    results = []
    for _ in range(2):
        with torch.inference_mode():
            generator = torch.Generator().manual_seed(2)
            results.append(method.complete(masked * (1 - hole), hole, generator))
        compile_networks(method, backend="eager")
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "updating"), [("mdrnets", "memory"), ("dsi", "vqvae.top_quantiser")]
)
def test_what_updates_itself_is_not_compiled(
    name: str, updating: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = tiny_network(name)
    compiled: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module, **_: compiled.append(module))
    assert compile_networks(method) == len(compiled)
    inside = {part for network in compiled for part in network.modules()}
    assert method.get_submodule(updating) not in inside
    convolutions = {part for part in method.modules() if isinstance(part, torch.nn.Conv2d)}
    assert convolutions and convolutions <= inside


def test_what_completion_enters_without_forward_is_compiled_in_parts() -> None:
    """DSI samples its codes with `sample`, which runs the condition network once."""
    method = tiny_network("dsi")
    compile_networks(method, backend="eager")
    structure = method.get_submodule("structure_average.network")
    assert structure._compiled_call_impl is None
    for part in structure.children():
        assert part._compiled_call_impl is not None
