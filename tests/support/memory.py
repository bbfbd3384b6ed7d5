"""Where tests put files that nobody has to find after a power cut: in memory, where there is enough of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 8 * 1024**3
"""What all workers together leave there in a whole run is less than half of this."""


def in_memory() -> Path | None:
    """Return a folder whose files are never written to a disk, or None where the machine has none that is large enough."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < FREE_BYTES_MIN:
        return None
    return MEMORY
