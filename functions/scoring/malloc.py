"""Tells the C library to keep freed memory for what is allocated next; it knows nothing of what that is.

Blocks of some hundred kilobytes come and go with every window. Left to itself glibc gives each back to the system and
asks for it again, page by page, which takes a sixth of the whole time.
Source: mallopt(3).
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BELOW = 32 << 20  # bytes of a block that is kept; the most that glibc allows
_FREE = 128 << 20  # bytes that stay free at most


def keep_freed_memory() -> None:
    """Does nothing where the C library has no such thing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BELOW)
        mallopt(_M_TRIM_THRESHOLD, _FREE)
