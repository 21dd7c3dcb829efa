"""Parameters of what finds personal data by types: by the patterns alone, or also by a recogniser of names."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataflywheel.contracts import PoolStatistics
from dataflywheel.signals.safety.name_recogniser import CHARS_A_SECOND, check_names, names_identity
from dataflywheel.signals.safety.name_types import NAME_TYPES, NameType
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, Type

AnyType = Literal[Type, NameType]


class PersonalDataOptions(BaseModel):
    """What is looked for, and by what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: tuple[AnyType, ...] = Field(default=PRIVATE, min_length=1)
    """What is looked for. Dates of birth are not unless named: texts tell mostly those of the famous. Persons, places
    and organisations are where `names` is given and no types are named."""
    names: str | None = Field(default=None, min_length=1)
    """What finds names of persons, places and organisations: an installed spaCy pipeline (`en_core_web_sm`) in the
    rows' language, the folder of one, or `presidio`; null: they are not looked for."""

    @model_validator(mode="after")
    def _names_with_their_types(self) -> Self:
        wanted = [name for name in self.types if name in NAME_TYPES]
        if wanted and self.names is None:
            raise ValueError(f"{', '.join(wanted)}: only a model finds these; name one: `names: en_core_web_sm`")
        if self.names is not None and "types" in self.model_fields_set and not wanted:
            raise ValueError(f"`names` finds {', '.join(NAME_TYPES)}, and `types` has none of them; name one there")
        return self

    @property
    def sought(self) -> tuple[AnyType, ...]:
        """The types that are looked for."""
        return self.types if self.names is None or "types" in self.model_fields_set else (*self.types, *NAME_TYPES)

    def ready(self) -> None:
        """
        Raises:
            UsageError: what finds names is not installed.
        """
        if self.names is not None:
            check_names(self.names)

    def leans_on(self) -> str:
        """Name and version of what finds names, "" where nothing does."""
        return "" if self.names is None else names_identity(self.names)

    def reading_seconds(self, pool: PoolStatistics) -> float:
        """What looking for names in these rows once takes, for the estimate."""
        return 0.0 if self.names is None else pool.chars / CHARS_A_SECOND
