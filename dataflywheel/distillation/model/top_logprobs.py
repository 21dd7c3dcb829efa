"""Log-probabilities of a few tokens, with all others as one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataflywheel.distillation.model.divergences import Tail


def top_logprobs(logits: Any, ids: Any, tail: Tail) -> Any:
    """Log-probabilities over the tokens `ids` (m, k) of logits (m, v).

    `bucket`: with one more entry for all other tokens together, (m, k + 1), none where k is v; `renormalise`: as if
    there were no others, (m, k).
    """
    if tail == "renormalise" or ids.shape[1] == logits.shape[1]:
        return logits.gather(1, ids).log_softmax(dim=1)
    return _function().apply(logits, ids)


def _in_steps(logits: Any, ids: Any) -> Any:
    """The same by torch's own operations, at thrice the time; exact where the others are less likely than float32 has
    numbers for."""
    import torch

    rest = logits.scatter(1, ids, float("-inf")).logsumexp(dim=1, keepdim=True)
    return torch.cat([logits.gather(1, ids), rest], dim=1).log_softmax(dim=1)


@lru_cache(maxsize=1)
def _function() -> Any:
    import torch

    class TopLogprobs(torch.autograd.Function):  # type: ignore[misc]
        """One exponential of the logits for both passes. With p the probabilities, r the others' together and g the
        gradients of the outputs, those of the logits are g_i - p_i sum(g) for a token of `ids`, and
        p_j (g_rest / r - sum(g)) for another."""

        @staticmethod
        def forward(context: Any, logits: Any, ids: Any) -> Any:
            greatest = logits.amax(dim=1, keepdim=True)
            others = (logits - greatest).exp_()
            chosen = others.gather(1, ids).sum(dim=1, keepdim=True)
            others.scatter_(1, ids, 0.0)
            rest = others.sum(dim=1, keepdim=True)
            if not bool((rest > torch.finfo(rest.dtype).tiny).all()):
                context.save_for_backward(logits, ids)
                return _in_steps(logits, ids)
            total = rest + chosen
            normaliser = greatest + total.log()
            kept = logits.gather(1, ids) - normaliser
            context.save_for_backward(others, ids, rest, total, kept)
            return torch.cat([kept, rest.log() + greatest - normaliser], dim=1)

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            if len(context.saved_tensors) == 2:
                logits, ids = context.saved_tensors
                with torch.enable_grad():
                    logits = logits.detach().requires_grad_()
                    found = _in_steps(logits, ids)
                return (*torch.autograd.grad(found, logits, gradient), None)
            others, ids, rest, total, kept = context.saved_tensors
            together = gradient.sum(dim=1, keepdim=True)
            found = others * (gradient[:, -1:] / rest - together / total)
            return found.scatter_(1, ids, gradient[:, :-1] - kept.exp() * together), None

    return TopLogprobs
