"""Model libraries without bars and notices."""

from __future__ import annotations

import warnings
from functools import lru_cache


@lru_cache(maxsize=1)
def quiet_transformers() -> None:
    """Import transformers with progress bars and advice off; what goes wrong is still raised."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|trl|peft)\.")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
