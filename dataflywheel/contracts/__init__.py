"""What every part of the system agrees on. Nothing here does work on rows."""

from dataflywheel.contracts.budget import Budget
from dataflywheel.contracts.columns import AnyArray, Columns, FloatArray, Status
from dataflywheel.contracts.cost import Cost, PoolStatistics
from dataflywheel.contracts.kinds import (
    Case,
    Cleaner,
    Decisions,
    Judge,
    Judgement,
    Selection,
    Selector,
    Signal,
    TargetView,
    Texts,
    Verdict,
)
from dataflywheel.contracts.method import REGISTRY, Card, Method, build, explain, nearest, snake_case
from dataflywheel.errors import DeferredError, FlywheelError, OverBudgetError, UsageError

__all__ = [
    "REGISTRY",
    "AnyArray",
    "Budget",
    "Card",
    "Case",
    "Cleaner",
    "Columns",
    "Cost",
    "Decisions",
    "DeferredError",
    "FloatArray",
    "FlywheelError",
    "Judge",
    "Judgement",
    "Method",
    "OverBudgetError",
    "PoolStatistics",
    "Selection",
    "Selector",
    "Signal",
    "Status",
    "TargetView",
    "Texts",
    "UsageError",
    "Verdict",
    "build",
    "explain",
    "nearest",
    "snake_case",
]
