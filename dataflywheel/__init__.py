"""The best post-trained language model from the least data.

Every verb of the command line has a function of the same name here: `import dataflywheel as fw; fw.run("recipe.yaml")`.
The functions load on first use, so that importing the package stays instant.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an editor knows of the verbs; they load on first use
    from dataflywheel.api import compare as compare
    from dataflywheel.api import run as run
    from dataflywheel.catalog import methods as methods
    from dataflywheel.catalog import plugin as plugin
    from dataflywheel.evolution.judging.calibrate import calibrate as calibrate
    from dataflywheel.inline.answer import answer as answer
    from dataflywheel.inline.check import check as check
    from dataflywheel.inline.compared import diff as diff
    from dataflywheel.inline.compared import profile as profile
    from dataflywheel.inline.compress import compress as compress
    from dataflywheel.inline.judge import judge as judge
    from dataflywheel.inline.measure import measure as measure
    from dataflywheel.inline.select import select as select
    from dataflywheel.inline.write import distill as distill
    from dataflywheel.inline.write import enhance as enhance
    from dataflywheel.inline.write import generate as generate
    from dataflywheel.recipe.init import init as init
    from dataflywheel.recipe.planning.plan import plan as plan
    from dataflywheel.recipe.prompts import prompts as prompts
    from dataflywheel.report.profile.detectors import detectors as detectors
    from dataflywheel.report.pushing import push as push
    from dataflywheel.report.runs import runs as runs
    from dataflywheel.report.why import why as why
    from dataflywheel.rows.convert import convert as convert
    from dataflywheel.rows.restore import restore as restore
    from dataflywheel.store.cleaning import clean as clean

# Before any dependency loads: they report usage by default, and nothing here phones home.
for _name, _value in {
    "DO_NOT_TRACK": "true",
    "DAFT_ANALYTICS_ENABLED": "0",
    "SCARF_NO_ANALYTICS": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait without spinning: several times faster beside other work on the same cores, no slower alone.
    "OMP_WAIT_POLICY": "PASSIVE",
}.items():
    os.environ.setdefault(_name, _value)

__version__ = "0.1.0"

_VERBS = {
    "answer": "dataflywheel.inline.answer",
    "init": "dataflywheel.recipe.init",
    "run": "dataflywheel.api",
    "plan": "dataflywheel.recipe.planning.plan",
    "compare": "dataflywheel.api",
    "detectors": "dataflywheel.report.profile.detectors",
    "select": "dataflywheel.inline.select",
    "measure": "dataflywheel.inline.measure",
    "check": "dataflywheel.inline.check",
    "enhance": "dataflywheel.inline.write",
    "generate": "dataflywheel.inline.write",
    "distill": "dataflywheel.inline.write",
    "compress": "dataflywheel.inline.compress",
    "judge": "dataflywheel.inline.judge",
    "calibrate": "dataflywheel.evolution.judging.calibrate",
    "why": "dataflywheel.report.why",
    "profile": "dataflywheel.inline.compared",
    "diff": "dataflywheel.inline.compared",
    "convert": "dataflywheel.rows.convert",
    "restore": "dataflywheel.rows.restore",
    "runs": "dataflywheel.report.runs",
    "push": "dataflywheel.report.pushing",
    "clean": "dataflywheel.store.cleaning",
    "methods": "dataflywheel.catalog",
    "plugin": "dataflywheel.catalog",
    "prompts": "dataflywheel.recipe.prompts",
}
__all__ = ["__version__", *_VERBS]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(importlib.import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'dataflywheel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
