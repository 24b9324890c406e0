from benchmarks.cases import CASES
from benchmarks.performance_page import PAGE, TABLE, page, read_rows


def test_the_page_is_generated_from_its_table() -> None:
    rows = read_rows(TABLE)
    assert rows and {row.case for row in rows} <= set(CASES)
    assert PAGE.read_text(encoding="utf-8") == page(rows)
