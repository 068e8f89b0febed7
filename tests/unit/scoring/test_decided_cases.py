"""The decided cases, with whole outputs compared: docs/decided-cases.md is made by running these tests.

The first line of each says the case in that page's words; what stands after "As:" is the example there, in place of
what the test gives. The comments above the tests are the page's headings."""

import gzip

import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from functions import loader
from functions.errors import DropRefused
from functions.inference.model import ServedModel
from functions.registry.memory import MemoryStore
from functions.scoring.loop import Options
from functions.scoring.summary import Rows
from functions.signature import Feature, Signature
from tests.models import IRIS, iris_pipeline, publish_model
from tests.unit.scoring.harness import OPTIONS, score

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
SCORED_HEADER = b"sepal_length,sepal_width,petal_length,petal_width,prediction\n"
REJECTED_HEADER = b"line,reason,message,record\n"
GOOD = b"5.1,3.5,1.4,0.2\n"
GOOD_SCORED = b"5.1,3.5,1.4,0.2,setosa\n"
MIXED = b"age,city,member\n"
MIXED_SCORED = b"age,city,member,prediction\n"


def rejected_alone(row: bytes, *, options: Options = OPTIONS) -> bytes:
    """The rejected file's only row, for a row between two good ones that are scored unharmed."""
    found = score(HEADER + GOOD + row + b"\n" + GOOD, options=options)
    assert found.scored == SCORED_HEADER + GOOD_SCORED + GOOD_SCORED
    assert found.tally.rows == Rows(3, 2, 1, 0)
    assert found.rejected is not None
    head, _, rest = found.rejected.partition(b"\n")
    assert head + b"\n" == REJECTED_HEADER
    return rest


def refused(data: bytes, *, options: Options = OPTIONS) -> tuple[str, str]:
    with pytest.raises(DropRefused) as raised:
        score(data, options=options)
    return raised.value.code, raised.value.message


# cells


@pytest.mark.parametrize("missing", [b"", b"NA", b"N/A", b"NaN", b"nan", b"NULL", b"null", b"None", b" ", b" NA "])
def test_a_missing_value_is_scored_where_training_saw_some(missing: bytes) -> None:
    """A missing value, where training saw some."""
    found = score(MIXED + missing + b",Bern," + missing + b"\n", "mixed")
    assert found.scored == MIXED_SCORED + missing + b",Bern," + missing + b",true\n"
    assert found.rejected is None
    assert found.tally.features["age"].missing == 1.0


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", " "])
def test_a_missing_value_is_rejected_where_training_saw_none(missing: str) -> None:
    """A missing value, where training saw none."""
    shown = repr(missing) if missing.strip() else "nothing"
    assert rejected_alone(f"5.1,3.5,{missing},0.2".encode()).decode() == (
        f"3,missing_value,\"column 'petal_length': found {shown}, expected a number; "
        f'training saw no missing value here","5.1,3.5,{missing},0.2"\n'
    )


@pytest.mark.parametrize(
    "number",
    [b"5", b"5.", b".5", b"+5.1", b"1e3", b"007", b" 5 ", b'"5.1"', b"-0.0", b"1e-999", b"1152921504606846976"],
)
def test_a_number_is_read_and_left_as_it_was_written(number: bytes) -> None:
    """A number; its bytes are left as they came."""
    found = score(HEADER + number + b",3.5,1.4,0.2\n")
    assert found.scored.startswith(SCORED_HEADER + number + b",3.5,1.4,0.2,")
    assert found.tally.rows == Rows(1, 1, 0, 0)


@pytest.mark.parametrize(
    ("number", "reason", "expected"),
    [
        ("abc", "not_a_number", "a number"),
        ("1_000", "not_a_number", "a number"),
        ("0x10", "not_a_number", "a number"),
        ('"1,5"', "not_a_number", "a number"),
        ("inf", "not_a_number", "a number"),
        ("٣", "not_a_number", "a number"),
        ("1e400", "number_too_large", "a number that float64 can hold"),
        ("9007199254740993", "number_not_exact", "a whole number that float64 can hold exactly"),
        ('5"1', "not_a_number", "a number"),
    ],
)
def test_what_is_no_number_is_rejected(number: str, reason: str, expected: str) -> None:
    """What is no number, or none that float64 can hold."""
    shown = number.strip('"').replace('"', '""')
    doubled = number.replace('"', '""')
    assert rejected_alone(f"{number},3.5,1.4,0.2".encode()).decode() == (
        f"3,{reason},\"column 'sepal_length': found '{shown}', expected {expected}\",\"{doubled},3.5,1.4,0.2\"\n"
    )


@pytest.mark.parametrize("word", [b"true", b"True", b"1", b"false", b"False", b"0", b" true "])
def test_booleans_are_read(word: bytes) -> None:
    """A boolean."""
    assert score(MIXED + b"30,Bern," + word + b"\n", "mixed").tally.rows == Rows(1, 1, 0, 0)


def test_what_is_no_boolean_is_rejected() -> None:
    """What is no boolean."""
    found = score(MIXED + b"30,Bern,yes\n", "mixed")
    assert found.scored == MIXED_SCORED
    assert found.rejected == (
        REJECTED_HEADER + b"2,not_a_boolean,\"column 'member': found 'yes', expected true or false\",\"30,Bern,yes\"\n"
    )


def test_a_category_is_the_text_quoted_or_not() -> None:
    """A category, quoted or not; with a space it is another text, which counts as unseen."""
    found = score(MIXED + b'30,"Bern",1\n30,Bern,1\n30, Bern,1\n', "mixed")
    assert found.rejected is None
    assert found.tally.features["city"].unseen == 1 / 3  # with the space it is another text


def test_a_category_with_a_quote_in_it_is_the_one_that_training_saw() -> None:
    """A category with a quote in it, which is doubled in the file."""
    model = of_two_texts('a"b', "c")
    found = score(b'x\n"a""b"\nc\n', model)
    assert found.scored == b'x,prediction\n"a""b",first\nc,second\n'
    assert found.tally.features["x"].unseen == 0.0


def of_two_texts(first: str, second: str) -> ServedModel:
    """A model that answers `first` to one text and `second` to the other, the only ones it has seen."""
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), DecisionTreeClassifier())
    pipeline.fit(pd.DataFrame({"x": [first, second]}, dtype="str"), ["first", "second"])
    store = MemoryStore()
    features = [Feature("x", "string", False, [first, second])]
    signature = Signature("classification", features, "y", ["first", "second"])
    publish_model(store, pipeline, signature, [[first], [second]], name="texts")
    return loader.load(store, loader.Reference("texts"))


def test_labels_are_scikit_learns_whatever_the_columns_order_and_company() -> None:
    """All of iris with its columns shuffled and one more: the labels are scikit-learn's."""
    table = load_iris(as_frame=True).data.set_axis(IRIS, axis=1)
    dropped = table[[IRIS[2], IRIS[0], IRIS[3], IRIS[1]]].assign(id=range(150)).to_csv(index=False)
    labels = iris_pipeline().predict(table).tolist()
    lines = dropped.splitlines()
    wanted = [lines[0] + ",prediction", *(f"{line},{label}" for line, label in zip(lines[1:], labels, strict=True))]
    assert score(dropped.encode()).scored.decode().splitlines() == wanted


# column names and separator


def test_columns_are_found_by_name_in_any_order_among_others() -> None:
    """Columns in any order, among others, quoted, with spaces around their names."""
    header = b'petal_width,"id",sepal_width, petal_length,id,"sepal_length "'
    found = score(header + b"\n0.2,x,3.5,1.4,y,5.1\n")
    assert found.scored == header + b",prediction\n0.2,x,3.5,1.4,y,5.1,setosa\n"


@pytest.mark.parametrize(
    ("header", "code", "message"),
    [
        (
            b"sepal_length,sepal_width,petal_length\n",
            "missing_columns",
            "the header lacks 'petal_width'; it has 'sepal_length', 'sepal_width', 'petal_length'. Names must match "
            "exactly; where the separator is none of comma, semicolon and tab, set BATCH_SEPARATOR",
        ),
        (
            b"sepal_length,sepal_width,petal_length,Petal_Width\n",
            "missing_columns",
            "the header lacks 'petal_width'; it has 'sepal_length', 'sepal_width', 'petal_length', 'Petal_Width'. "
            "Names must match exactly; where the separator is none of comma, semicolon and tab, set BATCH_SEPARATOR",
        ),
        (
            b"sepal_length,sepal_width,petal_length,petal_width, petal_width\n",
            "repeated_columns",
            "the header has 'petal_width' more than once; keep one column of each feature",
        ),
    ],
)
def test_a_missing_or_repeated_feature_refuses_the_file(header: bytes, code: str, message: str) -> None:
    """A feature that is missing, written in another case, or there twice."""
    assert refused(header + GOOD) == (code, message)


@pytest.mark.parametrize("separator", [b",", b";", b"\t"])
def test_the_header_tells_the_separator(separator: bytes) -> None:
    """Comma, semicolon or tab between the names."""
    found = score((HEADER + GOOD).replace(b",", separator))
    assert found.scored == (SCORED_HEADER + GOOD_SCORED).replace(b",", separator)


def test_a_semicolon_file_may_hold_commas() -> None:
    """Semicolons between cells, and a comma in one."""
    found = score(HEADER.replace(b",", b";") + b"5,1;3.5;1.4;0.2\n5.1;3.5;1.4;0.2\n")
    assert found.scored == SCORED_HEADER.replace(b",", b";") + b"5.1;3.5;1.4;0.2;setosa\n"
    assert found.rejected == (
        REJECTED_HEADER
        + b"2,not_a_number,\"column 'sepal_length': found '5,1', expected a number\",\"5,1;3.5;1.4;0.2\"\n"
    )


def test_another_separator_is_taken_from_the_setting() -> None:
    """Another separator, without the setting and with it."""
    piped = (HEADER + GOOD).replace(b",", b"|")
    assert refused(piped)[0] == "missing_columns"
    found = score(piped, options=Options(1024, "|", probabilities=False))
    assert found.scored == (SCORED_HEADER + GOOD_SCORED).replace(b",", b"|")


def test_the_setting_does_not_stop_a_header_that_tells_another() -> None:
    """A separator that the header tells, whatever the setting says."""
    assert score(HEADER + GOOD, options=Options(1024, "|", probabilities=False)).scored == SCORED_HEADER + GOOD_SCORED


# encoding


def test_a_byte_order_mark_is_no_part_of_a_name_and_is_kept() -> None:
    """A byte order mark; it is kept."""
    assert score(b"\xef\xbb\xbf" + HEADER + GOOD).scored == b"\xef\xbb\xbf" + SCORED_HEADER + GOOD_SCORED


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["with its mark", "without"])
def test_utf_16_is_refused_with_its_mark_and_without(mark: str, codec: str) -> None:
    """UTF-16, in either order of bytes."""
    code, message = refused((("\ufeff" if mark == "with its mark" else "") + (HEADER + GOOD).decode()).encode(codec))
    assert code == ("utf16" if mark == "with its mark" else "nul_in_header")
    assert "save it as UTF-8" in message


def test_invalid_utf_8_in_a_feature_rejects_the_row_and_elsewhere_passes_and_is_counted() -> None:
    """Bytes that are no UTF-8: in a feature, and elsewhere, where they pass and are counted."""
    header = b"caf\xe9;" + HEADER.replace(b",", b";")
    found = score(header + b"Z\xfcrich;5.1;3.5;1.4;0.2\nx;5.1\xff;3.5;1.4;0.2\n")
    assert found.scored == header[:-1] + b";prediction\nZ\xfcrich;5.1;3.5;1.4;0.2;setosa\n"
    assert found.rejected == (
        REJECTED_HEADER + b'3,invalid_utf8,"column \'sepal_length\': byte 0xff is no UTF-8","x;5.1\xff;3.5;1.4;0.2"\n'
    )
    assert found.tally.warnings == {"invalid_utf8_cells": 1}


def test_each_cell_that_is_no_utf_8_is_counted_and_none_that_is() -> None:
    """Two cells in one row that are no UTF-8, and some that are: two are counted."""
    rows = [b"\xfc,\xff,5.1,3.5,1.4,0.2", "é,ü,5.1,3.5,1.4,0.2".encode(), "x,é,5.1,3.5,1.4,0.2".encode()]
    found = score(b"note,place," + HEADER + b"\n".join(rows))
    assert found.scored == b"note,place," + SCORED_HEADER + b",setosa\n".join(rows) + b",setosa"
    assert found.tally.warnings == {"invalid_utf8_cells": 2}


# compression


def test_gzip_is_told_by_its_bytes_and_given_back_as_gzip() -> None:
    """Gzip, whatever the name says, with a short row in it; the results are gzip, too. As: a packed file"""
    found = score(gzip.compress(HEADER + GOOD + b"x\n"))
    assert gzip.decompress(found.scored) == SCORED_HEADER + GOOD_SCORED
    assert gzip.decompress(found.rejected or b"") == REJECTED_HEADER + b'3,ragged_row,"found 1 cell, expected 4","x"\n'
    assert found.scored[4:8] == bytes(4)  # no time in it: two workers write the same bytes


def test_several_gzip_members_are_read_through() -> None:
    """Several gzip members, one after the other, and zeros after the last. As: two packed files, joined"""
    packed = gzip.compress(HEADER + GOOD[:7]) + gzip.compress(b"") + gzip.compress(GOOD[7:]) + bytes(512)
    assert gzip.decompress(score(packed).scored) == SCORED_HEADER + GOOD_SCORED
    assert gzip.decompress(score([packed[n : n + 1] for n in range(len(packed))]).scored) == SCORED_HEADER + GOOD_SCORED


@pytest.mark.parametrize(
    "broken",
    [
        gzip.compress(HEADER + GOOD)[:-1],
        gzip.compress(HEADER + GOOD)[:-9],
        gzip.compress(HEADER + GOOD)[:5],
        gzip.compress(HEADER + GOOD)[:-8] + b"12345678",
        gzip.compress(HEADER + GOOD) + b"more",
        gzip.compress(HEADER + GOOD) + gzip.compress(GOOD)[:-1],
        gzip.compress(HEADER + GOOD) + b"\x1f",
        b"\x1f\x8b\xff\xff" + HEADER,
    ],
)
def test_broken_gzip_is_refused(broken: bytes) -> None:
    """Gzip that is cut off, damaged, or followed by something else. As: a packed file without its last byte"""
    assert refused(broken)[0] == "broken_gzip"


def test_gzip_of_nothing_is_an_empty_file() -> None:
    """Gzip of nothing. As: a packed empty file"""
    assert refused(gzip.compress(b""))[0] == "empty_file"


# quotes


def test_quoted_cells_may_hold_separators_quotes_and_line_ends() -> None:
    """Separators, doubled quotes and line ends inside quotes; and a short row after it."""
    row = b'"a, ""b""\r\nc\nd",5.1,"3.5",1.4,0.2'
    found = score(b"note," + HEADER + row + b"\n" + b"x,y\n")
    assert found.scored == b"note," + SCORED_HEADER + row + b",setosa\n"
    assert found.rejected == REJECTED_HEADER + b'5,ragged_row,"found 2 cells, expected 5","x,y"\n'


def test_a_stray_quote_inside_a_cell_is_a_character() -> None:
    """A quote inside a cell that does not begin with one: a character."""
    found = score(b"note," + HEADER + b'6" pipe,5.1,3.5,1.4,0.2\n')
    assert found.scored == b"note," + SCORED_HEADER + b'6" pipe,5.1,3.5,1.4,0.2,setosa\n'


def test_an_unclosed_quote_costs_its_first_line_only() -> None:
    """A quote that never closes: its first line alone is lost."""
    found = score(b"note," + HEADER + b'"open,5.1,3.5,1.4,0.2\nx,5.1,3.5,1.4,0.2\ny,5.1,3.5,1.4,0.2')
    assert found.scored == b"note," + SCORED_HEADER + b"x,5.1,3.5,1.4,0.2,setosa\ny,5.1,3.5,1.4,0.2,setosa"
    assert found.rejected == (
        REJECTED_HEADER + b'2,unclosed_quote,"a quote opens here and does not close; the record is taken to end with '
        b'its first line","""open,5.1,3.5,1.4,0.2"\n'
    )


def test_an_unclosed_quote_is_known_at_the_record_limit() -> None:
    r"""A quote that closes beyond the record limit only. As: `"5.1,3.5,1.4,0.2\n`, twenty rows, `5.1",…`"""
    options = Options(100, None, probabilities=False)
    rows = GOOD * 20
    found = score(HEADER + b'"5.1,3.5,1.4,0.2\n' + rows + b'5.1",3.5,1.4,0.2\n', options=options)
    assert found.scored == SCORED_HEADER + GOOD_SCORED * 20
    assert found.tally.reasons == {"unclosed_quote": 1, "not_a_number": 1}


def test_text_after_a_closing_quote_rejects_the_row() -> None:
    """Text after a closing quote."""
    assert rejected_alone(b'"5.1"0,3.5,1.4,0.2') == (
        b'3,text_after_quote,"there is text after a closing quote; double the quotes inside a quoted cell",'
        b'"""5.1""0,3.5,1.4,0.2"\n'
    )


# line ends


def test_line_ends_are_kept_row_by_row_and_so_is_a_missing_last_one() -> None:
    """LF and CRLF in one file, and none at the end: each is kept."""
    rows = [b"5.1,3.5,1.4,0.2", b"6.3,2.5,6.0,2.5"]
    found = score(HEADER.replace(b"\n", b"\r\n") + rows[0] + b"\n" + rows[1] + b"\r\n" + rows[0])
    assert found.scored == (
        SCORED_HEADER.replace(b"\n", b"\r\n")
        + rows[0] + b",setosa\n" + rows[1] + b",virginica\r\n" + rows[0] + b",setosa"
    )  # fmt: skip


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 1000])  # the last goes over the limit
def test_cr_alone_is_refused(rows: int, quoted: bool) -> None:
    r"""Lines that end with CR alone. As: `sepal_length,…\r5.1,3.5,1.4,0.2\r`"""
    names = HEADER[:-1].split(b",")
    header = b",".join(b'"%s"' % name for name in names) if quoted else HEADER[:-1]
    data = header + b"\r" + GOOD.replace(b"\n", b"\r") * rows
    code, message = refused(data, options=Options(1000, None, probabilities=False))
    assert code == "cr_line_ends"
    assert message == "lines end with CR alone, as on old Macs; save the file with LF or CRLF line ends"


def test_a_stray_cr_rejects_its_row() -> None:
    """A CR inside a line, outside quotes."""
    told = b'"there is a carriage return outside quotes that ends no line"'
    assert rejected_alone(b"5.1,3.5\r,1.4,0.2") == b"3,bare_cr," + told + b',"5.1,3.5\r,1.4,0.2"\n'


def test_blank_lines_are_dropped_and_counted() -> None:
    """Blank lines, before the header as well; and a short row after them."""
    found = score(b"\n\r\n" + HEADER + b"\n" + GOOD + b"\r\n\n" + b"x\n")
    assert found.scored == SCORED_HEADER + GOOD_SCORED
    assert found.rejected == REJECTED_HEADER + b'8,ragged_row,"found 1 cell, expected 4","x"\n'
    assert found.tally.rows == Rows(input=2, scored=1, rejected=1, blank=5)


# sizes


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n\n", b"\xef\xbb\xbf\n"])
def test_a_file_with_nothing_in_it_is_refused(data: bytes) -> None:
    """A file with nothing in it."""
    assert refused(data) == ("empty_file", "the file is empty; it needs a header and rows")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_a_header_alone_is_scored_with_no_rows(end: bytes) -> None:
    """A header alone, with these bytes after it."""
    found = score(HEADER[:-1] + end)
    assert found.scored == SCORED_HEADER[:-1] + end.removesuffix(b"\n\n") + (b"\n" if end == b"\n\n" else b"")
    assert found.rejected is None
    assert found.tally.rows == Rows(0, 0, 0, 1 if end == b"\n\n" else 0)


def test_a_record_over_the_limit_is_rejected_whole() -> None:
    """A record over the limit."""
    options = Options(60, None, probabilities=False)
    row = b"5.1,3.5,1.4,0.2" + b"0" * 1000
    assert rejected_alone(row, options=options) == (
        b'3,record_too_long,"the record is longer than 60 bytes; see BATCH_MAX_RECORD_BYTES","' + row + b'"\n'
    )


def test_a_record_at_the_limit_is_scored() -> None:
    """A record of just the limit, its line end not counted."""
    row = b"5.1,3.5,1.4,0.2" + b"0" * 45
    for end in (b"\n", b"\r\n", b""):
        assert score(HEADER + row + end, options=Options(60, None, probabilities=False)).tally.rows == Rows(1, 1, 0, 0)


def test_a_header_over_the_limit_is_refused() -> None:
    """A header over the limit. As: 50 bytes of header at a limit of 20 bytes"""
    code, message = refused(HEADER, options=Options(20, None, probabilities=False))
    assert code == "unreadable_header"
    assert message == "the header is no CSV record (record_too_long); look at its quotes and its length"


@pytest.mark.parametrize("blank", [b"\n", b"\r\n"])
def test_blank_lines_before_the_header_are_dropped_up_to_the_limit(blank: bytes) -> None:
    """80 bytes of such blank lines before the header, where a record may have 80."""
    options = Options(80, None, probabilities=False)
    lines = 80 // len(blank)
    assert score(blank * lines + HEADER + GOOD, options=options).tally.rows == Rows(1, 1, 0, lines)


@pytest.mark.parametrize("blank", [b"\n", b"\r\n"])
def test_blank_lines_before_the_header_over_the_limit_refuse_the_file(blank: bytes) -> None:
    """More of them than a record may have."""
    code, message = refused(
        blank * 41 * (2 // len(blank)) + HEADER + GOOD, options=Options(80, None, probabilities=False)
    )
    assert code == "unreadable_header"
    assert message == (
        "the file begins with over 80 bytes of blank lines; remove them, so that it begins with its header"
    )


@pytest.mark.parametrize("quoted", [b'"sepal_length" ,', b'"sepal_length,'])
def test_a_header_with_broken_quotes_is_refused(quoted: bytes) -> None:
    """A header whose quotes do not close, or have text after them."""
    assert refused(HEADER.replace(b"sepal_length,", quoted) + GOOD)[0] == "unreadable_header"


# ragged rows


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"5.1,3.5,1.4", "found 3 cells, expected 4"),
        (b"5.1,3.5,1.4,0.2,", "found 5 cells, expected 4"),
        (b"5.1", "found 1 cell, expected 4"),
        (b"  ", "found 1 cell, expected 4"),
    ],
)
def test_a_ragged_row_is_rejected_with_the_cells_found_and_expected(row: bytes, told: str) -> None:
    """A row with more or fewer cells than the header."""
    assert rejected_alone(row) == f'3,ragged_row,"{told}","{row.decode()}"\n'.encode()


def test_a_cell_too_few_and_one_too_many_in_the_next_row_reject_both() -> None:
    """A cell too few, and one too many in the next row."""
    found = score(HEADER + b"5.1,3.5,1.4\n0.2,5.1,3.5,1.4,0.2\n" + GOOD)
    assert found.scored == SCORED_HEADER + GOOD_SCORED
    assert found.rejected == (
        REJECTED_HEADER
        + b'2,ragged_row,"found 3 cells, expected 4","5.1,3.5,1.4"\n'
        + b'3,ragged_row,"found 5 cells, expected 4","0.2,5.1,3.5,1.4,0.2"\n'
    )


# columns beside the features


@pytest.mark.parametrize(
    ("note", "reason", "told"),
    [
        ('a"x,y"', "ragged_row", "found 6 cells, expected 5"),
        ('"x"z', "text_after_quote", "there is text after a closing quote; double the quotes inside a quoted cell"),
        ("x\ry", "bare_cr", "there is a carriage return outside quotes that ends no line"),
    ],
)
def test_a_cell_that_is_no_csv_rejects_its_row_in_a_column_that_is_no_feature_too(
    note: str, reason: str, told: str
) -> None:
    """A stray quote or CR in a column that is no feature."""
    row = f"{note},5.1,3.5,1.4,0.2"
    found = score(b"note," + HEADER + b"a," + GOOD + row.encode() + b"\n" + b"b," + GOOD)
    assert found.scored == b"note," + SCORED_HEADER + b"a," + GOOD_SCORED + b"b," + GOOD_SCORED
    doubled = row.replace('"', '""')
    assert found.rejected == REJECTED_HEADER + f'3,{reason},"{told}","{doubled}"\n'.encode()


# the rejected file


def test_a_rejected_record_can_be_turned_back() -> None:
    """Rows with whatever in them: the rejected file has each as it came, in one quoted cell."""
    import csv
    import io

    records = ['"a""b', 'x,"",y', "1;2", "=cmd|' /C calc'!A0"]
    found = score(HEADER + "\n".join(records).encode() + b"\n")
    rows = list(csv.DictReader(io.StringIO((found.rejected or b"").decode(), newline=""), strict=True))
    assert [row["record"] for row in rows] == records
    assert [row["line"] for row in rows] == ["2", "3", "4", "5"]


def test_where_all_is_rejected_the_scored_file_has_its_header() -> None:
    """No row that can be scored: the scored file has its header."""
    found = score(HEADER + b"x\n")
    assert found.scored == SCORED_HEADER
    assert found.tally.rows == Rows(1, 0, 1, 0)
