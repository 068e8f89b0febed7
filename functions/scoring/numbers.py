"""Reads many cells of text as float64 at once; it knows no rows. What it leaves, the one grammar is asked about.

Eight characters are one 64-bit word, on which one operation does the work of eight; every operation here is done for
all cells of a column. What is read is what `functions.inference.cells.number` reads, bit by bit: digits become a whole
number, which is divided by a power of ten, and a division of exact numbers is correctly rounded.
Sources: Clinger, "How to read floating point numbers accurately" (1990); Lemire, "Quickly parsing eight digits" (2018).
"""

from typing import Any, Final, TypeAlias

import numpy as np

from functions.scoring import short_cells

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

WORD: Final = 8  # characters
LONGEST: Final = 3 * WORD
NONE: Final = WORD  # no place in a word
MIXED: Final = NONE + 1
SHORT: Final = MIXED + 1  # no more characters than are looked up, wherever the dot is
CELLS_AT_ONCE: Final = 1 << 18  # as many as stay near the processor
SAMPLE: Final = 64  # rows that show how a column is written
MOSTLY: Final = 0.7  # of them; reading the others again costs less then than looking for every dot

_BITS = [np.uint64(number) for number in range(256)]
_DOTS, _ZEROS, _ONES, _HIGHS = (np.uint64(byte * 0x0101010101010101) for byte in (0x2E, 0x30, 0x01, 0x80))
_OVER_NINE = np.uint64(0x7676767676767676)  # lifts a byte over 9 to its high bit
_PAIRS, _FOURS, _EIGHTS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF), np.uint64(0xFFFFFFFF)
_TEN, _HUNDRED, _MYRIAD = np.uint64(10), np.uint64(100), np.uint64(10_000)

# By the number of characters that belong to the cell: which bytes of the word these are, and zeros in the others.
_OWN = np.array([2**64 - 2 ** (8 * (WORD - length)) for length in range(WORD)] + [2**64 - 1], np.uint64)
_OWN[0] = 0
_FILL = ~_OWN & _ZEROS

_TENS = np.array([float(10**power) for power in range(LONGEST)])
# By a dot's bit, as the float64 of it: eight bits of its exponent, 128 for the first byte, all of them 0 for no dot.
_SCALES = np.ones(128 + WORD)
_SCALES[128:] = _TENS[WORD - 1 :: -1]
_MOST_POWER = 22  # 10**22 is the last that float64 holds exactly
_MOST_WHOLE = np.uint64(2**53)
_MOST_FRONT = np.uint64(999)  # of the first eight of 24 digits, so that all of them fit 64 bits
_LONG_TENS = np.cumprod(np.array([1] + [10] * _MOST_POWER, dtype=np.longdouble))
_EXTENDED = np.finfo(np.longdouble).nmant == 63  # x87: 64 digits in two, of which float64 keeps 53
_DROPPED, _HALF = np.uint64(2**11 - 1), np.uint64(2**10)

_SPACES, _SIGNS, _MINUS, _BEFORE_DIGITS = (0x20, 0x09), (0x2B, 0x2D), 0x2D, 0x2E


def read_numbers(text: Array, starts: Array, stops: Array) -> tuple[Array, Array]:
    """The cells of k columns, k by n, [start, stop) of the bytes `text`: k by n float64, and which were not read."""
    values, bad = np.empty(starts.shape), np.empty(starts.shape, dtype=np.bool_)
    if not starts.shape[1] or len(text) < 2 * LONGEST:
        bad[:] = True
        return values, bad
    words = np.ndarray((len(text) - WORD + 1,), "<u8", text, 0, (1,))  # the word that begins at each byte
    short_words = short_cells.words_of(text)
    places = _places_of(words, starts[:, :SAMPLE], stops[:, :SAMPLE])
    at_once = max(1, CELLS_AT_ONCE // starts.shape[1])
    for place in np.unique(places):
        columns = np.flatnonzero(places == place)
        for first in range(0, len(columns), at_once):
            own: Any = columns[first : first + at_once]
            own = slice(own[0], own[-1] + 1) if own[-1] - own[0] == len(own) - 1 else own
            values[own], bad[own] = _likely(
                text, short_words if place == SHORT else words, starts[own], stops[own], int(place)
            )
    left = bad.nonzero()
    if len(left[0]):
        values[left], bad[left] = _any(text, words, starts[left], stops[left])
    bad[:, :LONGEST] |= stops[:, :LONGEST] < LONGEST  # the words of the first cells would begin before the text
    return values, bad


def _places_of(words: Array, starts: Array, stops: Array) -> Array:
    """Where in the words that end with its cells each column has its dot, mostly.

    NONE: nowhere, MIXED: anywhere; SHORT, wherever it is, where the cells are.
    """
    lengths = stops - starts
    dot = _dot_in(words[stops - WORD] & _OWN[np.clip(lengths, 0, WORD)])
    places = np.where(dot != 0, _place(dot), NONE)
    counts = (places[:, :, None] == np.arange(NONE + 1)).sum(axis=1)  # for each column, how often in each place
    most = MOSTLY * starts.shape[1]
    places = np.where(counts.max(axis=1) > most, counts.argmax(axis=1), MIXED)
    return np.where((lengths <= short_cells.LENGTH).sum(axis=1) > most, SHORT, places)


def _likely(text: Array, words: Array, starts: Array, stops: Array, place: int) -> tuple[Array, Array]:
    """Cells of at most eight digits, written as the first of their columns are: the dot there, signs or none.

    words: as `place` wants them, of eight characters or of four.
    """
    own = stops - starts
    negative: Array | None = None
    if (text[starts[:, :SAMPLE]] == _MINUS).any():
        negative = text[starts] == _MINUS
        own = own - negative
    if place == SHORT:
        values, bad = short_cells.read_short(words, own, stops)
    else:
        values, bad = _short(words, own, stops) if place == MIXED else _alike(words, own, stops, place)
    if negative is not None:
        np.negative(values, out=values, where=negative)
    return values, bad


def _alike(words: Array, own: Array, stops: Array, place: int) -> tuple[Array, Array]:
    """Cells with the dot in this place, or NONE; own: how many characters each has."""
    shortest, longest = int(own.min()), int(own.max())
    bad: Array | None = None
    if shortest < 1 or longest > WORD:
        fits = np.clip(own, 1, WORD)
        own, bad = fits, own != fits
    elif shortest == longest:
        own = own[:1, :1]
    word = (words[stops - WORD] & _OWN[own]) | _FILL[own]
    if place != NONE:
        astray = ((word >> _BITS[8 * place]) & _BITS[0xFF]) != _BITS[0x2E]
        bad = astray if bad is None else bad | astray
        word = _without(word, np.array([0x80 << 8 * place], dtype=np.uint64))
    number, wrong = _eight(word)
    if shortest <= 1 and place != NONE:
        wrong |= own == 1  # a dot alone
    values = number.astype(np.float64)
    if place != NONE:
        values /= _TENS[WORD - 1 - place]
    return values, wrong if bad is None else wrong | bad


def _any(text: Array, words: Array, starts: Array, stops: Array) -> tuple[Array, Array]:
    """Cells of at most 24 digits, however each is written: their values, and which were not read."""
    starts, stops, negative = _unsigned(text, starts, stops)
    lengths = stops - starts
    values, bad = _short(words, lengths, stops)
    longer = np.flatnonzero((lengths > WORD) & (lengths <= LONGEST))
    if len(longer):
        values[longer], bad[longer] = _long(words, lengths[longer], stops[longer])
    if negative is not None:
        np.negative(values, out=values, where=negative)
    return values, bad


def _unsigned(text: Array, starts: Array, stops: Array) -> tuple[Array, Array, Array | None]:
    """The cells without spaces around them and without a sign, and which had a minus (None: none has).

    A cell with more spaces keeps some, and so is not read here: each space is one turn over all cells.
    """
    last = len(text) - 1
    first = text[np.minimum(starts, last)]
    for _ in range(LONGEST):
        if not _any_of(first, _SPACES):
            break
        starts = starts + (_is(first, _SPACES) & (starts < stops))
        again = text[np.minimum(starts, last)]
        first = np.where(starts < stops, again, np.uint8(0))
    end = text[np.maximum(stops - 1, 0)]
    for _ in range(LONGEST):
        if not _any_of(end, _SPACES):
            break
        stops = stops - (_is(end, _SPACES) & (starts < stops))
        end = np.where(starts < stops, text[np.maximum(stops - 1, 0)], np.uint8(0))
    if not (first < _BEFORE_DIGITS).any():
        return starts, stops, None
    signed = _is(first, _SIGNS) & (starts < stops)
    return starts + signed, stops, (first == _MINUS) & signed


def _any_of(bytes_: Array, wanted: tuple[int, int]) -> bool:
    return bool(_is(bytes_, wanted).any())


def _is(bytes_: Array, wanted: tuple[int, int]) -> Array:
    found: Array = (bytes_ == wanted[0]) | (bytes_ == wanted[1])
    return found


def _short(words: Array, lengths: Array, stops: Array) -> tuple[Array, Array]:
    """Cells of at most eight characters, each with a dot somewhere or none; longer ones are bad."""
    own = np.clip(lengths, 1, WORD)
    word = (words[stops - WORD] & _OWN[own]) | _FILL[own]
    dot = _dot_in(word)
    dotted = dot != 0
    number, bad = _eight(np.where(dotted, _without(word, dot), word))
    bad |= lengths != own
    bad |= own <= dotted  # a dot alone
    values = number.astype(np.float64)
    values /= _SCALES[dot.astype(np.float64).view(np.int64) >> 55]
    return values, bad


def _long(words: Array, lengths: Array, stops: Array) -> tuple[Array, Array]:
    """Cells of at most 24 characters, in three words."""
    parts: list[Array] = []  # the last eight characters first
    for at in range(3):
        own = np.clip(lengths - at * WORD, 0, WORD)
        parts.append((words[stops - WORD * (at + 1)] & _OWN[own]) | _FILL[own])
    back, middle, front = parts
    power = np.zeros(len(stops), dtype=np.int64)
    dotted = np.zeros(len(stops), dtype=np.bool_)
    tops = [part >> _BITS[56] for part in parts]  # the last character of each
    for at, part in enumerate(parts):
        dot = _dot_in(part)
        here = (dot != 0) & ~dotted
        dotted |= here
        power[here] = WORD * at + (WORD - 1) - _place(dot)[here]
        moved = _without(part, dot)
        if at < 2:
            moved = (moved & ~_BITS[0] & ~np.uint64(0xFF)) | tops[at + 1]
        if at == 0:
            back = np.where(here, moved, back)
            middle = np.where(here, (middle << _BITS[8]) | tops[2], middle)
            front = np.where(here, (front << _BITS[8]) | np.uint64(0x30), front)
        elif at == 1:
            middle = np.where(here, moved, middle)
            front = np.where(here, (front << _BITS[8]) | np.uint64(0x30), front)
        else:
            front = np.where(here, moved, front)
    (low, bad), (mid, bad_middle), (high, bad_front) = _eight(back), _eight(middle), _eight(front)
    bad |= bad_middle | bad_front | (high > _MOST_FRONT) | (power > _MOST_POWER)
    whole = (high * np.uint64(10**8) + mid) * np.uint64(10**8) + low
    bad |= ~dotted & (whole >= _MOST_WHOLE)  # whether float64 holds it, the grammar says
    power = np.minimum(power, _MOST_POWER)
    values = whole.astype(np.float64) / _TENS[power]
    wide = np.flatnonzero((whole > _MOST_WHOLE) & ~bad)
    if len(wide):
        values[wide], bad[wide] = _divided(whole[wide], power[wide])
    return values, bad


def _divided(whole: Array, power: Array) -> tuple[Array, Array]:
    """Numbers of up to 64 bits by powers of ten, and which of them may be rounded wrongly.

    The quotient is rounded to 64 bits and then to 53. The second rounding goes wrong only where the first ended
    halfway between two float64, once in two thousand.
    """
    if not _EXTENDED:
        return np.zeros(len(whole)), np.ones(len(whole), dtype=np.bool_)
    quotient = whole.astype(np.longdouble) / _LONG_TENS[power]
    digits = quotient.view(np.uint64).reshape(-1, quotient.itemsize // WORD)[:, 0]
    return quotient.astype(np.float64), (digits & _DROPPED) == _HALF


def _dot_in(word: Array) -> Array:
    """The high bit of the byte that is the first dot, or 0."""
    other = word ^ _DOTS
    found = (other - _ONES) & ~other & _HIGHS
    dot: Array = found & (~found + _BITS[1])  # of several bits, the lowest
    return dot


def _place(dot: Array) -> Array:
    """Which byte it is, from 0; anything where there is none."""
    exponent = (dot >> _BITS[7]).astype(np.float64).view(np.int64) >> 52  # of two, as float64 holds it
    place: Array = (exponent - 1023) >> 3
    return place


def _without(word: Array, dot: Array) -> Array:
    """The characters before the dot move over it; a zero comes in."""
    bit = dot >> _BITS[7]
    before, after = bit - _BITS[1], ~((bit << _BITS[8]) - _BITS[1])
    closed: Array = (word & after) | ((word & before) << _BITS[8]) | np.uint64(0x30)
    return closed


def _eight(word: Array) -> tuple[Array, Array]:
    """The number that eight digits spell, and which words hold something else."""
    digits = word - _ZEROS
    bad: Array = ((digits | (digits + _OVER_NINE)) & _HIGHS) != 0
    digits = (digits * _TEN + (digits >> _BITS[8])) & _PAIRS
    digits = (digits * _HUNDRED + (digits >> _BITS[16])) & _FOURS
    number: Array = (digits * _MYRIAD + (digits >> _BITS[32])) & _EIGHTS
    return number, bad
