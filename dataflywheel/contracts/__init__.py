"""What every part of the system agrees on. Nothing here does work on rows."""

from dataflywheel.contracts.budget import Budget
from dataflywheel.contracts.columns import AnyArray, Columns, FloatArray, Status
from dataflywheel.contracts.complaint import Complaints, UnshownError, explain, nearest
from dataflywheel.contracts.composite import Around, Composite
from dataflywheel.contracts.cost import Cost, PoolStatistics
from dataflywheel.contracts.judge import Case, Judge, Judgement, Verdict
from dataflywheel.contracts.kinds import (
    Cleaner,
    Decisions,
    Selection,
    Selector,
    Signal,
    TargetView,
    Texts,
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
    method_spec,
    method_specs,
    snake_case,
)
from dataflywheel.contracts.metric import Mark, Metric
from dataflywheel.contracts.policy import Allocation, Operator, Policy, RoundResult, SliceResult, Writer
from dataflywheel.contracts.reward import Reward
from dataflywheel.contracts.training import (
    AnswerPositions,
    Asks,
    ChoosingDraw,
    Draw,
    Objective,
    Sampler,
    TrainingRows,
    ValidatedDraw,
)
from dataflywheel.errors import (
    DeferredError,
    FlywheelError,
    OverBudgetError,
    UnreadableAnswersError,
    UsageError,
)

__all__ = [
    "PYTHON",
    "REGISTRY",
    "STEPS",
    "Allocation",
    "AnswerPositions",
    "AnyArray",
    "Around",
    "Asks",
    "Budget",
    "Card",
    "Case",
    "ChoosingDraw",
    "Cleaner",
    "Columns",
    "Complaints",
    "Composite",
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
    "Operator",
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
    "UnreadableAnswersError",
    "UnshownError",
    "UsageError",
    "UserPath",
    "ValidatedDraw",
    "Verdict",
    "Writer",
    "build",
    "enter",
    "explain",
    "method_spec",
    "method_specs",
    "nearest",
    "snake_case",
]
