from mdrnets.runtime.seeds import derived_seed


def test_a_seed_never_changes() -> None:
    # It decides every published number: a new value here means new numbers everywhere.
    assert derived_seed(2204, "step", 0, 1) == 8370336303767624756


def test_every_part_counts_and_so_does_their_order() -> None:
    seeds = {
        derived_seed(1, "step", 2, 3),
        derived_seed(1, "step", 3, 2),
        derived_seed(1, "batch", 2, 3),
        derived_seed(2, "step", 2, 3),
        derived_seed(12, "step", 3),
    }
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
