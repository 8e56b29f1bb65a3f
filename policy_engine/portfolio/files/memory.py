"""Memory that is freed and soon asked for again."""

from __future__ import annotations

import ctypes

_TRIM, _MAP = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""

_KEPT = 256 << 20
_MAPPED = 32 << 20


def keep_freed() -> None:
    """Have the C library keep what is freed, up to 256 MiB, instead of giving it back at once.

    The columns of a chunk are all freed with it, and the next chunk needs as much: given back, each
    page of it would be fetched, and wiped, anew for every chunk. It holds for the whole process.
    Where the C library is not glibc, nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another C library, or another system
        return
    mallopt(_TRIM, _KEPT)
    mallopt(_MAP, _MAPPED)
