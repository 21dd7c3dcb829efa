"""What rewriters share, under the name that it had before it moved one floor down."""

from dataflywheel.proposing.rewritten import *  # noqa: F403
