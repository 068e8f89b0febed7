import io

from local.journal import Journal


def test_a_name_makes_no_line_of_its_own_and_orders_no_terminal_about() -> None:
    said = io.StringIO()
    Journal(said).note("incoming/a\nb\x1b[2J\x9bK.csv -> scored")
    assert said.getvalue()[9:] == "incoming/a\\nb\\x1b[2J\\x9bK.csv -> scored\n"
