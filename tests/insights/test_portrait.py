"""A portrait is judged as the behaviour vector is; that it keeps the contract is in test_contract."""

import numpy as np

from dongcha.as_of import Horizon
from dongcha.assemble import Shop
from dongcha.insights.portrait import SIZE, VECTOR, Portrait
from dongcha.jobs.study import Study


def test_a_portrait_is_judged_by_what_came_after(talking_shop: Shop) -> None:
    insight, end = Portrait(), talking_shop.as_of()
    study = Study(talking_shop.desk, insight, end)
    cutoff = end - Horizon(90)
    example = study.example(cutoff, end)
    contender = insight.contender("feeling_alone")
    contender.fit(study.past(cutoff)[-1:], study.facts(cutoff), seed=7)
    answer = insight.answer(contender, example.facts)
    vectors = answer[VECTOR].to_numpy()
    assert vectors.shape == (len(example.facts.features), SIZE)
    assert np.isfinite(vectors).all()
    assert 0.5 < insight.judge(contender, example, answer)["probe_auc"] < 1
