from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.files.tables import field_names
from mdrnets.planning.speed import (
    DEVICES,
    Cost,
    Measurement,
    Speed,
    find_device,
    loading_seconds,
    median_utilisation,
    read_measurements,
)

HEADER = ",".join(field_names(Measurement))
ROW = "NVIDIA H100,pconv,initial,256,8,bf16-mixed,1,25779796,4.0,9000000000"


def test_a_table_of_measurements_is_read(tmp_path: Path) -> None:
    path = tmp_path / "throughput_h100.csv"
    path.write_text(f"{HEADER}\n{ROW}\n")
    (row,) = read_measurements(path)
    assert row == Measurement(
        "NVIDIA H100", "pconv", "initial", 256, 8, "bf16-mixed", 1, 25779796, 4.0, 9_000_000_000
    )
    assert read_measurements(tmp_path / "throughput_a100.csv") == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("device,network\na,b\n", "device, network"),
        (f"{HEADER}\n{ROW.replace('4.0', 'fast')}\n", "row 2, column steps_per_second"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "throughput_h100.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"throughput_h100\.csv: .*{where}"):
        read_measurements(path)


def test_only_a_measurement_of_the_same_counts() -> None:
    row = Measurement("H100", "pconv", "initial", 256, 8, "bf16-mixed", 1, 100, 4.0, 1)
    speed = Speed(DEVICES["h100"], precision="bf16-mixed", measurements=[row])

    def find(speed: Speed, *, batch: int = 8, parameters: int = 100) -> Measurement | None:
        return speed.find_measurement(
            network="pconv", phase="initial", image_size=256, batch=batch, parameters=parameters
        )

    assert find(speed) == row
    assert find(speed, parameters=101) is None  # other widths
    assert find(speed, batch=6) is None
    other = Speed(DEVICES["h100"], precision="32-true", measurements=[row])
    assert find(other) is None


def test_an_estimate_is_arithmetic_or_kernels_whichever_is_longer() -> None:
    speed = Speed(DEVICES["a100"], precision="bf16-mixed")
    assert speed.estimate_seconds(Cost(macs=39e12, kernels=10), utilisation=0.25) == pytest.approx(
        1.0
    )
    assert speed.estimate_seconds(Cost(macs=1, kernels=5000)) == pytest.approx(0.05)
    assert Speed(DEVICES["cpu"], precision="32-true").estimate_seconds(Cost(0, 5000)) == 0


def test_what_is_measured_says_what_a_device_reaches() -> None:
    speed = Speed(DEVICES["a100"], precision="bf16-mixed")  # 312 T operations a second
    row = Measurement("A100", "pconv", "initial", 256, 8, "bf16-mixed", 1, 100, 1.0, 1)
    assert median_utilisation(speed, [(Cost(15.6e12, 1), row)]) == pytest.approx(0.1)
    assert median_utilisation(speed, []) == 0.25


def test_cores_share_a_step() -> None:
    cost = Cost(macs=1e9, kernels=10)
    one = Speed(DEVICES["cpu"], precision="32-true")
    row = Measurement("CPU", "pconv", "initial", 64, 8, "32-true", 4, 100, 8.0, 0)
    four = Speed(DEVICES["cpu"], precision="32-true", threads=4, measurements=[row])
    assert four.estimate_seconds(cost) == one.estimate_seconds(cost) / 4
    utilisation = median_utilisation(four, [(cost, row)])
    assert four.estimate_seconds(cost, utilisation=utilisation) == pytest.approx(1 / 8)
    assert not Speed(DEVICES["cpu"], precision="32-true", measurements=[row]).measurements
    gpu = Speed(DEVICES["a100"], precision="32-true", threads=4)
    assert gpu.peak == DEVICES["a100"].peak["32-true"]


def test_threads_hide_the_loading_that_fits_into_a_step() -> None:
    def waiting(threads: int, step: float) -> float:
        return loading_seconds(images=8, image_size=256, threads=threads, step=step)

    alone = waiting(0, 1.0)
    assert 0 < alone == waiting(0, 0.0)
    assert waiting(4, alone / 4) == 0
    assert waiting(4, alone / 8) == pytest.approx(alone / 8)
    assert loading_seconds(images=4, image_size=128, threads=0, step=0) == pytest.approx(alone / 8)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("NVIDIA Unknown", None),
    ],
)
def test_a_gpu_is_found_by_its_name(name: str, key: str | None) -> None:
    assert find_device(name, "cuda") == (DEVICES[key] if key else None)
