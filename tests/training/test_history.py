from mdrnets.training.history import History


def _history() -> History:
    history = History()
    history.add("l1", 1.0)
    history.add("l1", 2.0)
    history.add("rare", 0.1)
    history.close_interval(phase="first", step=2, diagnostics={"used": 3.0})
    return history


def test_a_row_has_means_over_the_occurrences_and_diagnostics() -> None:
    assert _history().rows == [{"phase": "first", "step": 2, "l1": 1.5, "rare": 0.1, "used": 3.0}]


def test_columns_stand_in_the_order_of_their_first_appearance() -> None:
    history = _history()
    history.add("adversarial", 1 / 3)
    history.add("l1", 4.0)
    values = history.close_interval(phase="second", step=1, diagnostics={})
    assert values == {"adversarial": 1 / 3, "l1": 4.0}
    assert history.to_csv() == (
        "phase,step,l1,rare,used,adversarial\n"
        "first,2,1.5,0.1,3.0,\n"
        "second,1,4.0,,,0.3333333333333333\n"
    )


def test_an_unfinished_interval_goes_through_the_state() -> None:
    history = _history()
    history.add("l1", 5.0)
    resumed = History()
    resumed.load_state_dict(history.state_dict())
    for either in (history, resumed):
        either.add("l1", 6.0)
        either.close_interval(phase="first", step=4, diagnostics={})
    assert resumed.to_csv() == history.to_csv()
    assert resumed.rows[-1]["l1"] == 5.5
