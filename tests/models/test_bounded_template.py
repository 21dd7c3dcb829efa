"""Chat templates end, and stay small, whatever they say; and give what the library gives where they are in order."""

from __future__ import annotations

import importlib.util
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from dataflywheel.contracts import UsageError
from dataflywheel.models.language.pool_tokenizer import load_tokenizer, pool_tokenizer
from dataflywheel.models.templates import bounded_template
from dataflywheel.models.templates.bounded_template import TemplateTooMuchError
from dataflywheel.models.templates.chat_template import render
from dataflywheel.models.templates.rendering import Rendering
from dataflywheel.rows.schema import message

TURNS = [{"role": "user", "content": "What is 2?"}, {"role": "assistant", "content": "It is two."}]
GROWING = "{%% set ns = namespace(s='aaaaaaaa', l=[1, 2]) %%}{%% for i in range(90) %%}%s{%% endfor %%}"
ENDLESS = {
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}"
    "{% endfor %}{% endfor %}",
    "a tree of calls": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "words": "{{ lipsum(n=99999999) }}",
    "doubling": GROWING % "{% set ns.s = ns.s ~ ns.s %}",
    "doubling by +": GROWING % "{% set ns.s = ns.s + ns.s %}",
    "doubling a list": GROWING % "{% set ns.l = ns.l + ns.l %}",
    "doubling a block": GROWING % "{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}",
}
REFUSED = {
    "calls": "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    "a loop in itself": "{% for m in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "brackets": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "blocks": "{% if 1 %}" * 400 + "{% endif %}" * 400,
    "text *": "{{ 'a' * 10 ** 10 }}",
    "list *": "{{ [0] * 10 ** 10 }}",
    "**": "{{ 10 ** (10 ** 8) }}",
    "squares": GROWING.replace("l=", "x=10, l=") % "{% set ns.x = ns.x * ns.x %}",
    "center": "{{ 'a' | center(10000000000) }}",
    ".center": "{{ 'a'.center(10000000000) }}",
    ".zfill": "{{ '1'.zfill(9999999999) }}",
    "%": "{{ '%9999999999d' % 1 }}",
    "% *": "{{ '%*d' % (9999999999, 1) }}",
    "format": "{{ '%9999999999d' | format(1) }}",
    ".format": "{{ '{:>9999999999}'.format(1) }}",
    ".format of a format": "{{ '{:>{w}}'.format(1, w=9999999999) }}",
    "indent": "{{ 'a\nb' | indent(9999999999) }}",
    "indent by name": "{{ 'a\nb' | indent(width=9999999999) }}",
    "batch": "{{ [1] | batch(9999999999, 0) | list }}",
    "round": "{{ 1.5 | round(999999999, 'ceil') }}",
    "tojson": "{{ [[1]] | tojson(indent=9999999999) }}",
    "replace": GROWING % ("{% set ns.s = ns.s.replace('a', '" + "a" * 99 + "') %}"),
    "a filter replace": GROWING % ("{% set ns.s = ns.s | replace('a', '" + "a" * 99 + "') %}"),
    "join": "{{ range(99999) | join('a' * 1000000) }}",
    ".join": "{{ ('a' * 1000000).join(range(99999) | map('string') | list) }}",
    "files": "{% include '/etc/hostname' %}",
    "insides": "{{ self.__init__.__globals__ }}",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_stopped_once_and_for_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_template, "SECONDS", 0.3)
    monkeypatch.setattr(bounded_template, "MEMORY", 1 << 26)
    with ThreadPoolExecutor(1) as elsewhere:
        for within in (lambda: _render(ENDLESS[name]), lambda: elsewhere.submit(_render, ENDLESS[name]).result()):
            bounded_template._refused.clear()
            began = time.process_time()
            with pytest.raises(TemplateTooMuchError, match=r"template was stopped, since it (did not end|took)"):
                within()
            assert time.process_time() - began < 4
    began = time.process_time()
    with pytest.raises(TemplateTooMuchError):
        _render(ENDLESS[name])
    assert time.process_time() - began < 0.1
    assert _render("{{ messages | length }}") == "2"


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_giants_is_refused_at_once(name: str) -> None:
    began = time.process_time()
    with pytest.raises(Exception):  # noqa: B017, PT011 (of several kinds, the library's and Python's)
        _render(REFUSED[name])
    assert time.process_time() - began < 2


def test_what_people_write_is_not_refused() -> None:
    written = (
        "{{ '-' * 40 }}{{ [1] * 3 }}{{ 2 ** 10 }}{{ 7 % 2 }}{{ '%s is %03d' % ('a', 7) }}{{ '{:>4} {}'.format(1, 2) }}"
        "{{ 9007199254740993 | round }}{{ 9007199254740993 | tojson }}{{ '%s' | format(9007199254740993) }}"
        "{{ '{}'.format(9007199254740993) }}{{ 'a' | center(5) }}{{ [1, 2] | tojson(indent=4) }}"
        "{{ 'a b'.split(' ', 1) }}{{ 'abc'.replace('b', '') }}{{ ['a', 'b'] | join(', ') }}{{ ', '.join(['a']) }}"
    )
    expected = render_jinja_template([TURNS], None, chat_template=written)[0][0]
    assert _render(written) == expected
    long = "b" * 3_000_000
    assert (
        len(_render("{{ messages[0].content.replace('b', 'ab') }}", [{"role": "user", "content": long}])) == 6_000_000
    )


def test_published_templates_give_what_the_library_gives() -> None:
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    seen = 0
    for path in sorted((Path(spec.origin).parent / "chat_templates").glob("*.jinja"))[::3]:
        template = path.read_text(encoding="utf-8")
        try:
            names = {"bos_token": "<s>", "eos_token": "</s>"}
            expected = render_jinja_template([TURNS], None, chat_template=template, **names)[0][0]
        except Exception:
            continue
        assert _render(template) == expected, path.name
        seen += 1
    assert seen > 5


def test_the_model_whose_template_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_template, "SECONDS", 0.3)
    folder = pool_tokenizer([[message("user", "a b c")]], cache_dir=tmp_path)
    tokenizer = load_tokenizer(folder)
    with pytest.raises(
        UsageError, match=rf"{folder}: the tokenizer's chat template .* did not end within 0\.3 seconds"
    ):
        Rendering(tokenizer, ENDLESS["loops"])


def _render(template: str, turns: list[dict[str, Any]] = TURNS) -> str:
    return render(template, turns, None, False, {"bos_token": "<s>", "eos_token": "</s>"})
