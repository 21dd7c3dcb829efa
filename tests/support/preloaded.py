"""What every run imports, for processes that are forked from one that has it."""

import pandas  # noqa: F401

import dataflywheel.api
import dataflywheel.cli.live
import dataflywheel.cli.run
import dataflywheel.models.endpoint.openai_endpoint
import dataflywheel.recipe.rounds.wheel
import dataflywheel.report.html  # noqa: F401
from dataflywheel import catalog

catalog.names()
