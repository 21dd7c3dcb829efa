"""YAML that somebody wrote by hand, read within bounds: aliases that unfold to millions of values are refused."""

from __future__ import annotations

from typing import Any

import yaml

MOST_NODES = 100_000
"""Values and names in a document whose aliases are written out."""


def read_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """A document as nodes, which know their lines, and as plain data; None twice where it is empty.

    Raises:
        yaml.MarkedYAMLError: it is no YAML, one of its values cannot be, or it unfolds to more than `MOST_NODES`.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _written_out(node, {})
        return node, loader.construct_document(node)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="nested too deeply") from None
    except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
        raise yaml.MarkedYAMLError(problem=f"a value that cannot be ({error})") from None
    finally:
        loader.dispose()


def _written_out(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How many values and names a node stands for, with every alias in full; each node is looked at once.

    Raises:
        yaml.MarkedYAMLError: they are too many, or it holds itself.
    """
    if node in known:
        if not known[node]:
            raise yaml.MarkedYAMLError(problem="an alias stands for what it is a part of", problem_mark=node.start_mark)
        return known[node]
    known[node] = 0
    parts = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
    size = 1 if isinstance(node, yaml.ScalarNode) else 1 + sum(_written_out(part, known) for part in parts)
    if size > MOST_NODES:
        problem = f"more than {MOST_NODES:,} values, with every alias written out"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    known[node] = size
    return size
