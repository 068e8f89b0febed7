"""Numbers and labels as a person reads them. It knows no page."""

import math

from functions.signature import Label

NONE = "\u2013"
THIN = "\u202f"  # a narrow space that does not break
MINUS = "\u2212"
_SHORT = {"roc": "ROC", "auc": "AUC", "rmse": "RMSE", "mae": "MAE", "mse": "MSE", "r2": "R²", "f1": "F1"}


def number(value: float | None, digits: int = 4) -> str:
    """To `digits` significant digits; thousands apart; powers of ten only where it is very large or very small."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 9:
        text = f"{value:,.{max(0, digits - 1 - size)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _, exponent = f"{value:.{max(0, digits - 2)}e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    return text.replace(",", THIN).replace("-", MINUS)


def count(value: int) -> str:
    return f"{value:,}".replace(",", THIN)


def decimals(*values: float | None) -> int:
    """How many decimals show these beside each other, to three significant digits of the largest."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    if largest == 0 or 0.1 <= largest <= 1:
        return 3
    return min(6, max(0, 2 - math.floor(math.log10(largest))))


def fixed(value: float | None, places: int) -> str:
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) >= 1e12:
        return number(value, 3)
    if 0 < abs(value) < 10**-places / 2:
        return f"<{THIN}{10**-places:.{places}f}" if value > 0 else f"{MINUS}{0:.{places}f}"
    return f"{value:,.{places}f}".replace(",", THIN).replace("-", MINUS)


def share(value: float | None) -> str:
    """A part of one as a percentage; what is not nothing and not all is not rounded to that."""
    if value is None or not math.isfinite(value):
        return NONE
    if 0 < value < 0.0005:
        return f"<{THIN}0.1{THIN}%"
    if 0.9995 <= value < 1:
        return f">{THIN}99.9{THIN}%"
    return (f"{value * 100:.0f}" if value in (0, 1) else f"{value * 100:.1f}") + f"{THIN}%"


def size(count_of_bytes: int) -> str:
    """In powers of 1000, as SI has them."""
    amount, unit = float(count_of_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{number(amount, 3)} {unit}"


def duration(seconds: float | None) -> str:
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 1:
        return f"{number(seconds * 1000, 2)} ms"
    return f"{number(seconds, 3)} s" if seconds < 120 else f"{number(seconds / 60, 3)} min"


def plain(value: Label | float | None) -> str:
    """A class, or a parameter: booleans as JSON writes them, white space as one can see it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    if value is None:
        return "none"
    text = str(value)
    if not text.strip():
        return "(empty)" if not text else "(blank)"
    return text


def metric(name: str) -> str:
    """`log_loss` as "log loss", `roc_auc` as "ROC AUC"."""
    return " ".join(_SHORT.get(word, word) for word in name.split("_") if word)


def date(created: str) -> str:
    """ISO 8601 in UTC, as `2026-11-22 19:52 UTC`."""
    return created[:16].replace("T", " ") + " UTC"
