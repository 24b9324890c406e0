import math

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from mdrnets.methods.mdrnets.memory import DisentangledMemory, Init
from mdrnets.methods.mdrnets.pooling import RegionMeans

CLASSES, SLOTS, CHANNELS, ALPHA = 3, 4, 8, 0.9


def _memory(
    *, blocks: int = CLASSES, slots: int = SLOTS, tau: float = 1.0, init: Init = "unit"
) -> DisentangledMemory:
    torch.manual_seed(0)
    return DisentangledMemory(
        blocks=blocks, slots=slots, channels=CHANNELS, alpha=ALPHA, temperature=tau, init=init
    )


def _rows(seed: int, *, absent: tuple[tuple[int, int], ...] = (), batch: int = 2) -> RegionMeans:
    """Random rows; those at `absent` (sample, class) are zero."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.randn(batch, CLASSES, CHANNELS, generator=generator)
    present = torch.ones(batch, CLASSES, dtype=torch.bool)
    for sample, index in absent:
        means[sample, index], present[sample, index] = 0, False
    return RegionMeans(means, present)


def _cosines(memory: DisentangledMemory, query: RegionMeans, sample: int, index: int) -> Tensor:
    """Equation 1, spelled out for one class of one sample."""
    block = memory.slots[index if len(memory.slots) > 1 else 0]
    vector = query.means[sample, index]
    return torch.stack([vector @ slot / (vector.norm() * slot.norm()) for slot in block])


@pytest.mark.parametrize("init", ["unit", "from_data"])
def test_slots_start_at_unit_length_and_are_not_parameters(init: Init) -> None:
    memory = _memory(init=init)
    torch.testing.assert_close(memory.slots.norm(dim=-1), torch.ones(CLASSES, SLOTS))
    assert not list(memory.parameters())
    assert set(memory.state_dict()) == {"slots", "updates"}


def test_slots_can_start_with_numbers_of_deviation_one() -> None:
    slots = _memory(slots=500, init="normal").slots
    assert slots.mean().item() == pytest.approx(0, abs=0.05)
    assert slots.std().item() == pytest.approx(1, abs=0.05)
    unit = torch.nn.functional.normalize(slots, dim=-1)
    torch.testing.assert_close(_memory(slots=500).slots, unit)  # of the same directions


def test_reading_is_equations_1_4_and_5() -> None:
    memory, query = _memory(tau=0.5).eval(), _rows(1)
    read = memory(query, _rows(2))
    for sample in range(2):
        for index in range(CLASSES):
            attention = torch.softmax(_cosines(memory, query, sample, index) / 0.5, dim=0)
            expected = attention @ memory.slots[index]
            torch.testing.assert_close(read[sample, index], expected)


@pytest.mark.parametrize("blocks", [CLASSES, 1])
def test_similarity_and_attention_are_what_a_read_uses(blocks: int) -> None:
    memory, query = _memory(blocks=blocks, tau=0.5).eval(), _rows(1)
    similarity = memory.similarity(query)
    for sample in range(2):
        for index in range(CLASSES):
            expected = _cosines(memory, query, sample, index)
            torch.testing.assert_close(similarity[sample, index], expected)
    slots = memory.slots.expand(CLASSES, -1, -1)
    read = torch.einsum("bkm,kmc->bkc", memory.attention(similarity), slots)
    torch.testing.assert_close(read, memory(query, _rows(2)))


def test_reading_equal_slots_returns_that_slot() -> None:
    memory = _memory().eval()
    slot = torch.randn(CLASSES, 1, CHANNELS)
    memory.slots.copy_(slot.expand_as(memory.slots))
    read = memory(_rows(1), _rows(2))
    torch.testing.assert_close(read, slot[:, 0].expand(2, -1, -1))


def test_one_update_moves_exactly_the_chosen_slots() -> None:
    """Equations 1 to 3, one sample: slots move by (1 − α)(V − e), and no other slot changes."""
    memory, query, value = _memory(), _rows(1, batch=1), _rows(2, batch=1)
    before = memory.slots.clone()
    chosen = [int(_cosines(memory, query, 0, index).argmax()) for index in range(CLASSES)]

    memory(query, value)

    for index, slot in enumerate(chosen):
        expected = before[index].clone()
        expected[slot] += (1 - ALPHA) * (value.means[0, index] - before[index, slot])
        torch.testing.assert_close(memory.slots[index, slot], expected[slot])
        others = [j for j in range(SLOTS) if j != slot]
        assert torch.equal(memory.slots[index, others], before[index, others])


def test_the_query_chooses_and_the_valid_vector_is_written() -> None:
    memory, value = _memory(), _rows(2, batch=1)
    query = RegionMeans(5 * memory.slots[None, :, 2].clone(), value.present)  # each is slot 2's own
    before = memory.slots.clone()
    memory(query, value)
    moved = (memory.slots != before).any(dim=-1)
    assert moved.tolist() == [[False, False, True, False]] * CLASSES
    expected = ALPHA * before[:, 2] + (1 - ALPHA) * value.means[0]
    torch.testing.assert_close(memory.slots[:, 2], expected)


def test_the_read_comes_after_the_update() -> None:
    written, plain = _memory(), _memory()
    query, value = _rows(1), _rows(2)
    read = written(query, value)
    plain.slots.copy_(written.slots)
    assert torch.equal(read, plain.eval()(query, value))
    assert not torch.equal(read, _memory().eval()(query, value))


def test_samples_that_choose_one_slot_are_averaged_before_one_step() -> None:
    memory, value = _memory(), _rows(2)
    query = RegionMeans(memory.slots[None, :, 1].repeat(2, 1, 1), value.present)
    before = memory.slots[:, 1].clone()
    memory(query, value)
    mean = value.means.mean(dim=0)
    torch.testing.assert_close(memory.slots[:, 1], before + (1 - ALPHA) * (mean - before))
    assert memory.updates[:, 1].tolist() == [1] * CLASSES


def test_present_in_query_and_value_reads_and_writes() -> None:
    memory = _memory()
    before = memory.slots.clone()
    read = memory(_rows(1), _rows(2))
    assert (memory.slots != before).any(dim=-1).sum() >= CLASSES
    assert (read.abs().sum(dim=-1) > 0).all()


def test_a_class_wholly_in_the_hole_reads_and_does_not_write() -> None:
    memory, query = _memory(), _rows(1)
    before = memory.slots.clone()
    read = memory(query, _rows(2, absent=((0, 1), (1, 1))))
    assert torch.equal(memory.slots[1], before[1])
    assert not torch.equal(memory.slots[0], before[0])
    attention = torch.softmax(_cosines(memory, query, 0, 1), dim=0)
    torch.testing.assert_close(read[0, 1], attention @ before[1])


def test_a_class_without_any_pixel_neither_reads_nor_writes() -> None:
    memory, absent = _memory(), ((0, 1), (1, 1))
    before = memory.slots.clone()
    read = memory(_rows(1, absent=absent), _rows(2, absent=absent))
    assert torch.equal(memory.slots[1], before[1])
    assert torch.equal(read[:, 1], torch.zeros(2, CHANNELS))
    assert torch.isfinite(read).all()


def test_an_absent_query_prevents_writing_even_if_the_value_is_present() -> None:
    memory = _memory()
    before = memory.slots.clone()
    memory(_rows(1, absent=((0, 1), (1, 1))), _rows(2))
    assert torch.equal(memory.slots[1], before[1])


def test_a_class_absent_in_one_sample_is_written_only_by_the_other() -> None:
    absent = ((0, 1),)
    both, alone = _memory(), _memory()
    query, value = _rows(1), _rows(2, absent=absent)
    both(query, value)
    alone(*(RegionMeans(rows.means[1:], rows.present[1:]) for rows in (query, value)))
    torch.testing.assert_close(both.slots[1], alone.slots[1])


def test_nothing_changes_in_eval_mode() -> None:
    memory = _memory().eval()
    before = {name: buffer.clone() for name, buffer in memory.named_buffers()}
    memory(_rows(1), _rows(2))
    for name, buffer in memory.named_buffers():
        assert torch.equal(buffer, before[name])


def test_gradient_reaches_the_query_and_neither_the_value_nor_the_slots() -> None:
    memory, query, value = _memory(), _rows(1, absent=((0, 1),)), _rows(2)
    query.means.requires_grad_()
    value.means.requires_grad_()
    memory(query, value).square().sum().backward()
    assert query.means.grad is not None
    assert torch.isfinite(query.means.grad).all()
    assert query.means.grad[1].abs().sum() > 0
    assert torch.equal(query.means.grad[0, 1], torch.zeros(CHANNELS))
    assert value.means.grad is None
    assert not memory.slots.requires_grad


def test_all_classes_can_share_one_block() -> None:
    memory, value = _memory(blocks=1), _rows(2)
    query = RegionMeans(memory.slots[:, :1].expand(2, CLASSES, -1).clone(), value.present)
    before = memory.slots.clone()
    memory(query, value)
    mean = value.means.flatten(0, 1).mean(dim=0)
    expected = before[0, 0] + (1 - ALPHA) * (mean - before[0, 0])
    torch.testing.assert_close(memory.slots[0, 0], expected)
    assert torch.equal(memory.slots[0, 1:], before[0, 1:])


def test_a_shared_read_attends_over_all_its_slots() -> None:
    memory, query = _memory(blocks=1, slots=7).eval(), _rows(1, absent=((1, 2),))
    read = memory(query, _rows(2))
    assert read.shape == (2, CLASSES, CHANNELS)
    attention = torch.softmax(_cosines(memory, query, 1, 1), dim=0)
    torch.testing.assert_close(read[1, 1], attention @ memory.slots[0])
    assert torch.equal(read[1, 2], torch.zeros(CHANNELS))


def test_filling_takes_evenly_spaced_present_vectors_of_each_class() -> None:
    memory, rows = _memory(), _rows(3, absent=((0, 1), (2, 1)), batch=6)
    before = memory.slots.clone()
    memory.updates += 1
    memory.fill(RegionMeans(rows.means[:3], rows.present[:3]))
    assert not memory.updates.any()
    assert torch.equal(memory.slots[0, :3], rows.means[:3, 0])
    assert torch.equal(memory.slots[1, :1], rows.means[1:2, 1])
    assert torch.equal(memory.slots[0, 3:], before[0, 3:])
    assert torch.equal(memory.slots[1, 1:], before[1, 1:])
    memory.fill(rows)
    assert torch.equal(memory.slots[0], rows.means[[0, 1, 3, 4], 0])


def test_filling_a_shared_block_takes_vectors_of_all_images() -> None:
    memory, rows = _memory(blocks=1), _rows(3, absent=((0, 1),), batch=3)
    memory.fill(rows)
    present = rows.means[rows.present]  # 8 vectors for 4 slots
    assert torch.equal(memory.slots[0], present[::2])


def test_diagnostics_count_updates_and_measure_selection() -> None:
    memory, value = _memory(), _rows(2, batch=1)
    assert memory.diagnostics()["moved"] == 0
    assert memory.slots_used() == [0] * CLASSES
    for slot in (0, 0, 1, 1):
        memory(RegionMeans(memory.slots[None, :, slot].clone(), value.present), value)
    assert memory.slots_used() == [2] * CLASSES
    result = memory.diagnostics()
    assert result["use_entropy"] == pytest.approx(math.log(2))
    assert result["moved"] == pytest.approx(1 - ALPHA**2)
    assert 0 < result["read_entropy"] < math.log(SLOTS)


def test_the_read_entropy_of_equal_slots_is_that_of_a_uniform_choice() -> None:
    memory, absent = _memory(), ((0, 1), (1, 1))
    memory.slots.copy_(memory.slots[:, :1].clone().expand_as(memory.slots))
    nothing = _rows(2, absent=tuple((b, k) for b in range(2) for k in range(CLASSES)))
    memory(_rows(1, absent=absent), nothing)
    assert memory.diagnostics()["read_entropy"] == pytest.approx(math.log(SLOTS))


def test_the_length_of_a_read_is_measured_against_its_query() -> None:
    """Over the present classes, as a mean of |Q̂| / |Q|."""
    memory, query = _memory(), _rows(1, absent=((1, 2),))
    read = memory(query, _rows(2))
    ratios = [
        read[b, k].norm() / query.means[b, k].norm()
        for b in range(2)
        for k in range(CLASSES)
        if (b, k) != (1, 2)
    ]
    expected = torch.stack(ratios).mean().item()
    assert memory.diagnostics()["read_length"] == pytest.approx(expected)


def test_it_computes_in_full_precision_under_autocast() -> None:
    plain, mixed = _memory(), _memory()
    expected = plain(_rows(1), _rows(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mixed(_rows(1), _rows(2)), expected)
    assert torch.equal(mixed.slots, plain.slots)


def test_sums_and_counts_of_all_ranks_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks with one sample each make the same update as one process with both.

    Two real processes are in `tests/training/test_two_ranks.py`.
    """
    together, query, value = _memory(), _rows(1), _rows(2, absent=((1, 2),))
    together(query, value)

    def half(sample: int) -> tuple[RegionMeans, RegionMeans]:
        part = slice(sample, sample + 1)
        return (
            RegionMeans(query.means[part], query.present[part]),
            RegionMeans(value.means[part], value.present[part]),
        )

    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    sent: list[Tensor] = []
    monkeypatch.setattr(dist, "all_reduce", lambda tensor: sent.append(tensor.clone()))
    _memory()(*half(1))
    monkeypatch.setattr(dist, "all_reduce", lambda tensor: tensor.add_(sent.pop(0)))
    first = _memory()
    first(*half(0))

    assert not sent
    torch.testing.assert_close(first.slots, together.slots)
    assert torch.equal(first.updates, together.updates)


def test_the_length_of_a_query_does_not_matter() -> None:
    memory, query = _memory().eval(), _rows(1)
    longer = RegionMeans(100 * query.means, query.present)
    torch.testing.assert_close(memory(longer, _rows(2)), memory(query, _rows(2)))
