"""Failures that the user can act on; kept apart, so that the command line loads nothing heavy for them."""

from __future__ import annotations


class FlywheelError(Exception):
    """The message names the file, line, field or step and the way out: exit status 1."""


class OverBudgetError(FlywheelError):
    """A cap was reached; what is there is valid and the same command goes on."""


class UnreadableAnswersError(FlywheelError):
    """None of the first answers of a model can be read; no more were paid for."""


class DeferredError(FlywheelError):
    """Answers were asked for in a batch and are not there yet; the same command goes on once they are."""


class UsageError(FlywheelError):
    """The request itself is wrong (unknown method, ill-typed parameter, missing model): exit status 2."""
