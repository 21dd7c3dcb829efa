"""Names by Presidio's analyzer, where the package `presidio-analyzer` is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import threading
from collections.abc import Sequence

from dataflywheel.contracts import UsageError
from dataflywheel.signals.safety.name_types import LABELS
from dataflywheel.signals.safety.personal_data_patterns import Span
from dataflywheel.signals.safety.spacy_names import BATCH, check_pipeline, cut, pipeline, pipeline_identity

DEFAULT = "en_core_web_lg"
"""The pipeline that Presidio takes where none is named."""
ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION")


def check_presidio(names: str) -> None:
    """
    Raises:
        UsageError: Presidio or its pipeline is not installed; it would download one itself, and nothing here does.
    """
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise UsageError(
            f"names: presidio needs the package presidio-analyzer: pip install presidio-analyzer; {names or DEFAULT} "
            "finds the same kinds of names by spaCy alone"
        )
    check_pipeline(names or DEFAULT)


def presidio_identity(names: str) -> str:
    """Versions of Presidio and of its pipeline."""
    return f"presidio-{importlib.metadata.version('presidio-analyzer')}:{pipeline_identity(names or DEFAULT)}"


class PresidioNames:
    """Presidio's analyzer with one pipeline, in that pipeline's language."""

    def __init__(self, names: str) -> None:
        from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        found = pipeline(names or DEFAULT)
        self._language = found.identity.partition("_")[0]
        # Its own configuration passes organisations over and knows no facilities.
        kinds = {"person": "PERSON", "place": "LOCATION", "organisation": "ORGANIZATION"}
        configuration = {
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": self._language, "model_name": str(found.folder)}],
            "ner_model_configuration": {
                "model_to_presidio_entity_mapping": {label: kinds[kind] for label, kind in LABELS.items()},
                "labels_to_ignore": [],
            },
        }
        engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
        analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=[self._language])
        self._analyzer = BatchAnalyzerEngine(analyzer_engine=analyzer)
        self._one_at_a_time = threading.Lock()

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The names in each text, in order; of overlapping ones the surer, then the longer."""
        pieces = [(number, start, text) for number, whole in enumerate(texts) for start, text in cut(whole)]
        with self._one_at_a_time:
            read = self._analyzer.analyze_iterator(
                [text for _, _, text in pieces], language=self._language, batch_size=BATCH, entities=list(ENTITIES)
            )
        found: list[list[Span]] = [[] for _ in texts]
        for (number, start, _), results in zip(pieces, read, strict=True):
            taken: list[Span] = []
            for one in sorted(results, key=lambda one: (-one.score, one.start - one.end, one.start)):
                span = Span(LABELS[one.entity_type], start + one.start, start + one.end)
                if all(span.end <= other.start or other.end <= span.start for other in taken):
                    taken.append(span)
            found[number] += sorted(taken, key=lambda span: span.start)
        return found
