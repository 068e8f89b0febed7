"""Every reason code a rejected row or a refused drop can carry, and nothing else.

A row is *rejected*: it goes to `rejected/` and the others are scored. A drop is *refused*: nothing of it is scored.
"""

# rows: how the record is written
RAGGED_ROW = "ragged_row"
"""The row has another number of cells than the header. Remedy: quote cells that hold the separator."""
UNCLOSED_QUOTE = "unclosed_quote"
"""A quote never closes, before the record limit or the end of the file. Remedy: close it, or double it."""
TEXT_AFTER_QUOTE = "text_after_quote"
"""Text stands after a closing quote, as in "abc"def. Remedy: double a quote that is part of the text."""
RECORD_TOO_LONG = "record_too_long"
"""The record is over BATCH_MAX_RECORD_BYTES. Remedy: look for a quote that never closes, or raise the setting."""
BARE_CR = "bare_cr"
"""A carriage return outside quotes ends no line. Remedy: quote it, or write LF or CRLF."""

# rows: a feature's cell
INVALID_UTF8 = "invalid_utf8"
"""A feature's cell is not UTF-8. Remedy: write the file in UTF-8."""
MISSING_VALUE = "missing_value"
"""A cell is empty where training saw no missing values. Remedy: fill it, or train with missing values."""
NOT_A_NUMBER = "not_a_number"
"""A number's cell is none. Remedy: write digits with a decimal point, without thousands marks."""
NUMBER_TOO_LARGE = "number_too_large"
"""The number is infinite as float64. Remedy: send a finite one."""
NUMBER_NOT_EXACT = "number_not_exact"
"""A whole number that float64 would round. Remedy: send one that it holds; an id is no feature."""
NOT_A_BOOLEAN = "not_a_boolean"
"""A boolean's cell is none. Remedy: write true or false, True or False, 1 or 0."""

# rows: the model
NOT_PREDICTABLE = "not_predictable"
"""The pipeline itself refuses the row. Remedy: send categories and numbers as training saw them."""
PREDICTION_NOT_FINITE = "prediction_not_finite"
"""The model answers the row with no finite number. Remedy: send numbers of the size that training saw."""

# drops
EMPTY_FILE = "empty_file"
"""The file has 0 bytes. Remedy: drop it again, with a header."""
BROKEN_GZIP = "broken_gzip"
"""The gzip data is cut off or damaged. Remedy: pack and drop it again."""
UTF16 = "utf16"
"""The file is UTF-16. Remedy: save it as UTF-8."""
NUL_IN_HEADER = "nul_in_header"
"""The header holds a NUL byte. Remedy: drop a CSV file; this is another format, or UTF-16."""
CR_LINE_ENDS = "cr_line_ends"
"""Lines end with CR alone. Remedy: save it with LF or CRLF."""
UNREADABLE_HEADER = "unreadable_header"
"""The header, or blank lines before it, is over the record limit, or its quotes are broken. Remedy: mend line 1."""
MISSING_COLUMNS = "missing_columns"
"""The header lacks a feature. Remedy: name the columns as the model does, or set BATCH_SEPARATOR."""
REPEATED_COLUMNS = "repeated_columns"
"""The header names a feature more than once. Remedy: keep one column of the name."""
TOO_LARGE = "too_large"
"""The file would take longer than the function may run. Remedy: split it, or use python -m functions.score."""
GZIP_NOT_CUT = "gzip_not_cut"
"""The file is too large for one function, and gzip cannot be cut. Remedy: drop it unpacked, or in several files."""
NO_SAFE_CUT = "no_safe_cut"
"""Where the records of a huge file start cannot be told from parts of it. Remedy: split it; see docs/fan-out.md."""

# a drop whose results stand, and are marked `failed`
TOO_MANY_REJECTED = "too_many_rejected"
"""More rows were rejected than BATCH_MAX_REJECTED_SHARE allows; the results stand. Remedy: see rejected/."""
