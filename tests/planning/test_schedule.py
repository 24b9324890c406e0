from mdrnets.planning.schedule import Task, critical_path, makespan

# Two parts, of which a method uses both; and a baseline on its own.
TASKS = {
    "data": Task(0, 0, []),
    "parser": Task(2, 1, ["data"]),
    "coarse": Task(3, 1, ["data"]),
    "baseline": Task(4, 1, ["data"]),
    "method": Task(5, 1, ["parser", "coarse"]),
    "table": Task(0, 0, ["method", "baseline"]),
}


def test_one_gpu_takes_the_sum() -> None:
    assert makespan(TASKS, 1) == 2 + 3 + 4 + 5


def test_two_gpus_share_what_does_not_wait() -> None:
    # Both parts, then the baseline beside the method.
    assert makespan(TASKS, 2) == 3 + 5


def test_no_number_of_gpus_goes_below_the_longest_chain() -> None:
    assert makespan(TASKS, 100) == critical_path(TASKS) == 3 + 5


def test_what_waits_for_long_goes_first() -> None:
    tasks = {"short": Task(2, 1, []), "first": Task(1, 1, []), "then": Task(9, 1, ["first"])}
    assert makespan(tasks, 1) == 12
    assert makespan(tasks, 2) == 10


def test_a_job_may_hold_several_gpus() -> None:
    tasks = {"both": Task(3, 2, []), "one": Task(2, 1, []), "other": Task(2, 1, [])}
    assert makespan(tasks, 2) == 5
    assert makespan(tasks, 4) == 3
    assert makespan(tasks, 1) == 7  # a job that wants more than there are gets all


def test_nothing_to_do_takes_no_time() -> None:
    assert makespan({}, 1) == critical_path({}) == 0
