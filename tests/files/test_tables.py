import pytest

from mdrnets.errors import UserError
from mdrnets.files.tables import read_table, write_table


def test_a_table_is_read_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "splits" / "faces.csv"
    write_table(path, ("id", "ratio"), [("00012", 0.1 + 0.2), ("é, “x”", 1 / 3)])
    assert path.read_bytes().startswith(b"id,ratio\n00012,0.30000000000000004\n")
    rows = read_table(path, ("id", "ratio"))
    assert [row["id"] for row in rows] == ["00012", "é, “x”"]
    assert [float(row["ratio"]) for row in rows] == [0.1 + 0.2, 1 / 3]


def test_a_missing_or_other_table_is_named(tmp_path) -> None:
    path = tmp_path / "faces.csv"
    with pytest.raises(UserError, match=r"faces\.csv: "):
        read_table(path, ("id",))
    path.write_text("")
    with pytest.raises(UserError, match=r"faces\.csv: .* id;"):
        read_table(path, ("id",))
    path.write_text("id,name\n1,a\n")
    with pytest.raises(UserError, match=r"id, name.*id, role"):
        read_table(path, ("id", "role"))
    for row in ("1", "1,a,b"):
        path.write_text(f"id,role\n{row}\n")
        with pytest.raises(UserError, match=r"faces\.csv: "):
            read_table(path, ("id", "role"))
