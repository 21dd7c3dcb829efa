"""The one protocol behind which all models that answer questions stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from dataflywheel.errors import FlywheelError, UsageError
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec, Price


@dataclass(frozen=True)
class Capabilities:
    """What a model's interface can do, declared and never discovered at row 10,000."""

    chat: bool = True
    completion: bool = False
    """Raw text is continued, without a chat template."""
    logprobs: bool = False
    """Log-probabilities of the answer's tokens, with alternatives."""
    samples: bool = True
    """Several different answers to one prompt."""
    seed: bool = False
    json_schema: bool | None = False
    """The answer follows a JSON schema that is sent with the question. None: nobody said, and a probe tells."""
    batch: bool = False
    """The provider's deferred interface: files and batches."""
    thinks: bool | None = None
    """The model thinks before it answers, so that short answers need room. None: nobody said."""

    def require(self, needed: Iterable[str], method: str, model: str) -> None:
        """Refuse a method whose needs the model lacks, before any call.

        Raises:
            UsageError: names the method, what is missing and what there is.
        """
        known = [f.name for f in fields(self) if f.name != "thinks"]
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            has = ", ".join(name for name in known if getattr(self, name)) or "nothing"
            raise UsageError(
                f"{method} needs {' and '.join(missing)}, which {model} does not offer (it offers: {has}); "
                "name another model, or declare what it can do: `capabilities` in a recipe, --can on the command line"
            )


def declared(spec: ModelSpec) -> Capabilities:
    """What an endpoint that speaks OpenAI's dialect is assumed to do, and what the recipe declares on top.

    Whether it obeys a schema is open, but for batches, which nothing is asked before; a model that is asked in batches
    may think, for an answer that is cut costs another batch.
    """
    can: dict[str, Any] = {"seed": True, "json_schema": None}
    can |= {"json_schema": False, "thinks": True} if spec.batch else {}
    can |= {str(name): able for name, able in spec.capabilities.items()}
    return Capabilities(**can)


class ChatModel(Protocol):
    """A model that answers one request at a time; retries, caps and the store are the client's work."""

    capabilities: Capabilities
    price: Price

    @property
    def identity(self) -> str:
        """Model and address: with equal requests, equal identity means that an earlier answer serves."""

    async def send(self, request: Request) -> Reply:
        """One attempt. The reply's outcome is ANSWERED, REFUSED, TRUNCATED or FILTERED.

        Raises:
            RateLimitedError, UnavailableError, DroppedError, AwayError, TooSlowError: the client decides whether to
                try again.
            RejectedError: the endpoint does not take this request.
            FlywheelError: nothing will work: no such model, no permission.
        """

    def tokens(self, request: Request) -> int:
        """Tokens of the prompt, estimated from above: what a reservation is made for."""

    async def close(self) -> None: ...


class AttemptError(FlywheelError):
    """One attempt brought no reply. `maybe_paid`: it may have been worked on, and billed, all the same.

    `used`: the tokens, in and out, that the endpoint says it took for it.
    """

    def __init__(self, message: str, maybe_paid: bool = False, used: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.maybe_paid, self.used = maybe_paid, used


class RateLimitedError(AttemptError):
    """Too many requests (429): wait, for as long as the server says, and never drop the row."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(AttemptError):
    """A server error, a refused or a dropped connection."""


class UnreadableError(UnavailableError):
    """A whole reply that is none: half a body, an error page, no end. It was worked on, and will hardly get better."""


class DroppedError(UnavailableError):
    """No answer came, as from a server that goes down or comes up: a connection that was lost before one, 502, 503. It
    is the question's fault only where others are answered meanwhile."""


class AwayError(UnavailableError):
    """Nobody took the connection: nothing was sent, and no question is to blame."""


class TooSlowError(AttemptError):
    """No sign of an answer for as long as was given: the server has more to do than it can, or hangs."""


class RejectedError(AttemptError):
    """A request that the endpoint will not take in this form, however often it is sent; `filtered`: for its content."""

    def __init__(self, message: str, used: tuple[int, int] | None = None, filtered: bool = False) -> None:
        super().__init__(message, used=used)
        self.outcome = Outcome.FILTERED if filtered else Outcome.REJECTED


class Asks(Protocol):
    """What is needed of a client."""

    @property
    def model(self) -> ChatModel: ...

    def ask(self, requests: Sequence[Request]) -> list[Reply]: ...
