"""What trainings cost, by hand; what a model reads in an evaluation, counted."""

from __future__ import annotations

import threading

from dataflywheel.contracts import Cost
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.top_k_distillation import TopKDistillation
from dataflywheel.evolution.iteration.training_cost import training_cost
from dataflywheel.models.language.meter import count, counted

PLAIN = {"steps": 5, "passes": 36, "tokens": 900, "answer_tokens": 200, "seconds": 2.0}


def test_every_row_counts_as_often_as_it_is_learned_both_ways() -> None:
    assert training_cost(PLAIN, 8) == Cost(2.0, 36, 36, 900)
    earlier = {name: value for name, value in PLAIN.items() if name != "passes"}
    assert training_cost(earlier, 8) == Cost(2.0, 40, 40, 900)


def test_what_a_sampler_and_a_teacher_read_counts_too() -> None:
    chosen = training_cost(PLAIN | {"candidates": 72, "candidates_tokens": 1800}, 8)
    assert chosen == Cost(2.0, 36 + 72, 36, 900 + 1800)
    asked = {"rehearsal_steps": 2, "rehearsal_rows": 11, "rehearsal_tokens": 250, "validations": 3}
    asked |= {"validation_rows": 30, "validation_tokens": 600}
    heard = training_cost(PLAIN | {"asked": asked, "candidates": 0, "candidates_tokens": 600}, 8)
    assert heard == Cost(2.0, 36 + 11 + 30, 36 + 11, 900 + 250 + 600)
    taught = training_cost(PLAIN | {"taught": {"passes": 12, "tokens": 300}}, 8)
    assert taught == Cost(2.0, 36 + 12, 36, 900 + 300)


def test_a_teacher_reads_as_often_as_the_student_or_once() -> None:
    assert DenseDistillation().heard(12, 36, 900) == Cost(forward=36, tokens=900)
    assert TopKDistillation().heard(12, 36, 900) == Cost(forward=12, tokens=300)
    assert TopKDistillation().heard(48, 36, 900) == Cost(forward=36, tokens=900)


def test_counts_nest_and_hear_of_all_threads() -> None:
    count(5, 50)
    with counted() as outer:
        count(1, 10)
        with counted() as inner:
            threads = [threading.Thread(target=count, args=(2, 20)) for _ in range(8)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
        count(1, 10)
    count(5, 50)
    assert (inner.passes, inner.tokens) == (16, 160)
    assert (outer.passes, outer.tokens) == (18, 180)
