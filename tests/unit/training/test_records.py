"""Framing says where each record begins, and refuses what two readers could read differently."""

import csv

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.scoring.framing import Framer, Record
from training.endings import Mistake
from training.tables.records import frame


def lines(text: str, wanted: str = "y", separator: str | None = None) -> list[int]:
    return list(frame(text.encode(), wanted, separator).lines)


def refusal(text: str, separator: str | None = None) -> str:
    with pytest.raises(Mistake) as raised:
        frame(text.encode(), "y", separator)
    return str(raised.value)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_record_is_told_by_the_line_it_begins_at(end: str) -> None:
    text = end.join(["a,y", "1,p", "", "2,q", '"3', '3",p', "", "", "4,q", ""])
    assert lines(text) == [2, 4, 5, 9]


def test_the_header_may_come_after_blank_lines_and_the_last_line_may_lack_its_end() -> None:
    assert lines("\n\na,y\n1,p") == [4]


def test_names_are_trimmed_of_spaces_and_a_byte_order_mark() -> None:
    assert frame('\ufeff a ,\ty\t," b c "\n1,2,3\n'.encode(), "y").names == ["a", "y", "b c"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_the_one_under_which_the_header_holds_the_target(separator: str) -> None:
    others = "".join({",", ";", "\t"} - {separator})
    text = f"a{others}b{separator}y\n1{separator}2\n"
    found = frame(text.encode(), "y")
    assert (found.separator, found.names) == (separator, [f"a{others}b", "y"])


def test_where_several_separators_would_do_the_one_that_makes_most_columns_does() -> None:
    assert frame(b"y\n1\n", "y").separator == ","
    assert frame(b"a;b;y\n1;2;3\n", "missing").separator == ";"


def test_a_separator_that_is_given_is_taken() -> None:
    found = frame(b"a|b;c|y\n1|2|3\n", "y", "|")
    assert (found.separator, found.names) == ("|", ["a", "b;c", "y"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; give a CSV with a header and rows"),
        ("\n\r\n\n", "the file is empty; give a CSV with a header and rows"),
        ("a,y", "the file has a header and no rows; there is nothing to learn from"),
        ("a,y\n\n", "the file has a header and no rows; there is nothing to learn from"),
        (
            "a,y\n1,p\n\n2\n",
            "line 4 has 1 cell, the header has 2; mend the line, or name the separator with --separator",
        ),
        (
            "a,y\n1,p,2\n",
            "line 2 has 3 cells, the header has 2; mend the line, or name the separator with --separator",
        ),
        (
            "a,y\n   \n",
            "line 2 has 1 cell, the header has 2; mend the line, or name the separator with --separator",
        ),
        ('a,y\n1,p\n"2,q\n3,p\n', "line 3: a quote is opened here and never closed; close it"),
        (
            'a,y\n"1"x,p\n',
            "line 2: there is text after a closing quote; write quotes inside a quoted cell twice",
        ),
        ("a,y\r1,p\r", "line 1: a line ends in CR alone; save the file with LF or CRLF line ends"),
        ("a,y\n1,p\n2,q\r", "line 3: a line ends in CR alone; save the file with LF or CRLF line ends"),
        ('a,y\n1,p\n2,"q"\r', "line 3: a line ends in CR alone; save the file with LF or CRLF line ends"),
        ("a,y\n1,p\n\r", "line 3: a line ends in CR alone; save the file with LF or CRLF line ends"),
        ("a,y\n1,p\r2,q\n", "line 2: a line ends in CR alone; save the file with LF or CRLF line ends"),
        ("a,y\n" + "1" * 200_000 + ",p\n", "line 2: a cell is longer than 128 KiB; is a quote missing?"),
    ],
)
def test_what_cannot_be_framed_is_refused_with_its_line(text: str, message: str) -> None:
    assert refusal(text) == message


def test_a_stray_quote_inside_an_unquoted_cell_is_a_character() -> None:
    assert lines('a,y\n5",p\n') == [2]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n,;\t"'), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_whatever_a_csv_writer_writes_is_framed_as_it_was(rows: list[tuple[str, str]], end: str) -> None:
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "y"])
    writer.writerows(rows)
    expected, line = [], 2
    for row in rows:
        expected.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    assert lines(text.getvalue()) == expected


@settings(max_examples=300)
@given(st.text(st.sampled_from('a1,"\r\n'), max_size=24), st.booleans())
@example("1,2\n\r", True)
@example("1,2\r", True)
@example(",\r\r", False)
@example('"\r"",\r",1\r\n', True)
@example('1,"2"\r', True)
@example('"1\r",2\r\n', True)
def test_training_takes_a_file_where_scoring_rejects_no_record_of_it_and_reads_the_same_cells(
    text: str, ended: bool
) -> None:
    body = f"b,y\n{text}{'' if ended else chr(10)}".encode()
    framer = Framer(b",", 1 << 20)
    records = [one for one in [*framer.feed(body), *framer.finish()] if isinstance(one, Record)][1:]
    there = [one for one in records if one.body or one.fault]
    cells = [[cell.decode() for cell in (one.cells or one.body.split(b","))] for one in there]
    good = all(one.fault is None and len(own) == 2 for one, own in zip(there, cells, strict=True))
    try:
        found = frame(body, "y")
    except Mistake:
        assert not good or not there
    else:
        assert good
        assert [list(row) for row in zip(*found.columns, strict=True)] == cells
        assert list(found.lines) == [one.line for one in there]
