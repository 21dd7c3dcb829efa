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
from dataflywheel.contracts.method import (
    PYTHON,
    REGISTRY,
    STEPS,
    Card,
    Method,
    Named,
    UserPath,
    build,
    enter,
    explain,
    nearest,
    snake_case,
)
from dataflywheel.contracts.metric import Mark, Metric
from dataflywheel.contracts.policy import Allocation, Policy, RoundResult, SliceResult
from dataflywheel.contracts.reward import Reward
from dataflywheel.contracts.training import AnswerPositions, ChoosingDraw, Draw, Objective, Sampler, TrainingRows
from dataflywheel.errors import DeferredError, FlywheelError, OverBudgetError, UsageError

__all__ = [
    "PYTHON",
    "REGISTRY",
    "STEPS",
    "Allocation",
    "AnswerPositions",
    "AnyArray",
    "Budget",
    "Card",
    "Case",
    "ChoosingDraw",
    "Cleaner",
    "Columns",
    "Cost",
    "Decisions",
    "DeferredError",
    "Draw",
    "FloatArray",
    "FlywheelError",
    "Judge",
    "Judgement",
    "Mark",
    "Method",
    "Metric",
    "Named",
    "Objective",
    "OverBudgetError",
    "Policy",
    "PoolStatistics",
    "Reward",
    "RoundResult",
    "Sampler",
    "Selection",
    "Selector",
    "Signal",
    "SliceResult",
    "Status",
    "TargetView",
    "Texts",
    "TrainingRows",
    "UsageError",
    "UserPath",
    "Verdict",
    "build",
    "enter",
    "explain",
    "nearest",
    "snake_case",
]
