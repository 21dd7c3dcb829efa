"""What every part of the system agrees on. Nothing here does work on rows."""

from dataflywheel.contracts.budget import Budget
from dataflywheel.contracts.columns import AnyArray, Columns, FloatArray, Status
from dataflywheel.contracts.cost import Cost, PoolStatistics
from dataflywheel.contracts.kinds import Cleaner, Decisions, Selection, Selector, Signal, TargetView, Texts
from dataflywheel.contracts.method import REGISTRY, Card, Method, build, explain, nearest, snake_case
from dataflywheel.errors import FlywheelError, UsageError

__all__ = [
    "REGISTRY",
    "AnyArray",
    "Budget",
    "Card",
    "Cleaner",
    "Columns",
    "Cost",
    "Decisions",
    "FloatArray",
    "FlywheelError",
    "Method",
    "PoolStatistics",
    "Selection",
    "Selector",
    "Signal",
    "Status",
    "TargetView",
    "Texts",
    "UsageError",
    "build",
    "explain",
    "nearest",
    "snake_case",
]
