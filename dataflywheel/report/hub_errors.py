"""What goes wrong at the hub, in words that say the way out; never with a token in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dataflywheel.contracts import FlywheelError, UsageError

TOKEN = re.compile(r"hf_\w+")
AGAIN = "the same command goes on, and sends nothing twice that the hub has"


@contextmanager
def told_by_hub(repo: str, pushed: Mapping[str, str]) -> Iterator[None]:
    """Errors of the hub's client as our own, with the addresses of what was `pushed` before.

    Raises:
        UsageError: the token is not taken, or may not write there.
        FlywheelError: the hub cannot be reached, or refuses otherwise.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except FlywheelError:
        raise
    except OfflineModeIsEnabled:
        raise UsageError("the hub is switched off here: unset HF_HUB_OFFLINE, and push again") from None
    except (LocalTokenNotFoundError, HFValidationError) as error:
        raise UsageError(f"{_plain(error)}{_so_far(pushed)}") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise UsageError(
                f"the hub does not let this token write to {repo} ({status}): log in with one that may write, `hf "
                f"auth login` or HF_TOKEN, and mind who owns the name{_so_far(pushed)}"
            ) from None
        raise FlywheelError(f"the hub refused ({status}): {_plain(error)}{_so_far(pushed)}") from None
    except Exception as error:
        if not _is_connection(error):
            raise
        raise FlywheelError(
            f"the hub cannot be reached ({type(error).__name__}): {_plain(error)}; once there is a network, {AGAIN}"
            f"{_so_far(pushed)}"
        ) from None


def _is_connection(error: BaseException) -> bool:
    """Whether the network failed, whatever library says so."""
    named = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(named & {"TransportError", "RequestException"})


def _plain(error: BaseException) -> str:
    """The first line of what was said, without anything that looks like a token."""
    said = str(error).strip().splitlines()
    return TOKEN.sub("hf_***", said[0] if said else type(error).__name__)


def _so_far(pushed: Mapping[str, str]) -> str:
    return f"; pushed before that: {', '.join(pushed.values())}" if pushed else ""
