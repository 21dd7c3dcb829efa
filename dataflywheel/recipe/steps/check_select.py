"""What a selection cannot do in a recipe: go on from rounds that there are not, or mean two things by one signal."""

from __future__ import annotations

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.selection.spec import Select


def check_rounds_before(spec: Select, recipe: Recipe) -> None:
    """Raises UsageError: a selector goes on from earlier rounds, and there are none."""
    for selector in spec.selectors() if recipe.rounds == 1 else ():
        if selector.begins:
            raise UsageError(
                f"select: {selector.name} goes on from the rows that earlier rounds chose, and the recipe has one "
                "round; write `rounds: 3`, or choose a method that needs none"
            )


def check_signals(spec: Select, recipe: Recipe) -> None:
    """Raises UsageError: a selector wants a signal measured in its own way, and the recipe or another selector of the
    step means the signal of that name otherwise."""
    for selector in spec.selectors():
        for name, wanted in selector.signal_parameters().items():
            said = recipe.signals.get(name, {})
            other = next((key for key in wanted if key in said and said[key] != wanted[key]), "")
            others = [s for s in spec.selectors() if s.signal_parameters().get(name) != wanted]
            reads = [s.name for s in others if name in signals_of(s.needs())]
            if not other and not reads:
                continue
            who = f"the recipe says `{name}: {{{other}: {said[other]}}}`" if other else f"{reads[0]} reads it too"
            raise UsageError(
                f"select: {selector.name} measures {name} with {dict(wanted)}, and {who}; put one of the two under a "
                f"name of your own, `signals: {{mine: {{{name}: {{}}}}}}`, and name its column in the selector"
            )
