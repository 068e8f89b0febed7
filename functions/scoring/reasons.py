"""Every reason code a rejected row or a refused drop can carry, and nothing else.

A row is *rejected*: it goes to `rejected/` and the others are scored. A drop is *refused*: nothing of it is scored.
"""

# rows: how the record is written
RAGGED_ROW = "ragged_row"  # another number of cells than the header
UNCLOSED_QUOTE = "unclosed_quote"  # a quote that never closes, before the record limit or the end of the file
TEXT_AFTER_QUOTE = "text_after_quote"  # "abc"def
RECORD_TOO_LONG = "record_too_long"  # over BATCH_MAX_RECORD_BYTES
BARE_CR = "bare_cr"  # a carriage return outside quotes that ends no line

# rows: a feature's cell
INVALID_UTF8 = "invalid_utf8"
MISSING_VALUE = "missing_value"  # where training saw none
NOT_A_NUMBER = "not_a_number"
NUMBER_TOO_LARGE = "number_too_large"  # infinite as float64
NUMBER_NOT_EXACT = "number_not_exact"  # a whole number that float64 rounds
NOT_A_BOOLEAN = "not_a_boolean"

# rows: the model
NOT_PREDICTABLE = "not_predictable"  # the pipeline itself refuses the row
PREDICTION_NOT_FINITE = "prediction_not_finite"

# drops
EMPTY_FILE = "empty_file"
BROKEN_GZIP = "broken_gzip"
UTF16 = "utf16"
NUL_IN_HEADER = "nul_in_header"
CR_LINE_ENDS = "cr_line_ends"
UNREADABLE_HEADER = "unreadable_header"  # quotes that do not close, text after a quote, or over the record limit
MISSING_COLUMNS = "missing_columns"
REPEATED_COLUMNS = "repeated_columns"
TOO_LARGE = "too_large"  # more than the time left allows

# a drop whose results stand, and are marked `failed`
TOO_MANY_REJECTED = "too_many_rejected"
