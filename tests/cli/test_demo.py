"""The demo and all that can be asked of its shop, by the real command line, in both languages."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ABOUT_CUSTOMERS = [
    "behaviour", "churn", "lifetime_value", "next_action", "portrait", "recommendation", "satisfaction", "segmentation",
]  # fmt: skip
EVERY = [*ABOUT_CUSTOMERS, "brand", "risk", "sentiment", "topics"]
ENV = {"COLUMNS": "220", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "DONGCHA_TIME__FOLDS": "2"}


def dongcha(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dongcha.cli.main", *words], capture_output=True, text=True, check=False, env=ENV
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "shop"


@pytest.fixture(scope="module")
def report(folder: Path) -> str:
    done = dongcha("demo", "--no-serve", "--customers", "120", "--language", "zh", "-w", str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_answers_what_a_manager_asks_in_the_shop_s_language(report: str) -> None:
    for question in (
        "有多少客户",
        "谁要离开",
        "他们值多少",
        "会想要什么",
        "客户分为哪些群",
        "他们在谈论什么",
        "什么被称赞",
        "谁可能不满却没说",
        "谁的口碑正在转变",
        "这些答案有多准",
        "与预埋真相相比",
    ):
        assert question in report
    assert "距上次下单" in report or "天" in report


def test_what_is_asked_afterwards_is_answered(report: str, folder: Path, tmp_path: Path) -> None:
    shop = ("-w", str(folder))
    status = json.loads(dongcha("status", "--json", *shop).stdout)
    assert len(status["tables"]) == 10
    assert {k["insight"]: bool(k["champion"]) for k in status["insights"]} == dict.fromkeys(EVERY, True)

    done = dongcha("show", "churn", "--csv", str(tmp_path / "churn.csv"), *shop)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "churn.csv").open("r", encoding="utf-8")))
    assert set(rows[0]) == {"entity_id", "churn_probability"}
    assert len({row["entity_id"] for row in rows}) == len(rows) > 80

    who = rows[0]["entity_id"]
    (answer,) = json.loads(dongcha("show", "churn", "--customer", who, "--json", *shop).stdout)
    assert answer["reasons"]
    profile = json.loads(dongcha("profile", who, "--json", *shop).stdout)
    assert [k["insight"] for k in profile["insights"]] == ABOUT_CUSTOMERS
    assert {"text", "sentiment", "mood"} <= profile["texts"][0].keys()
    text = json.loads(dongcha("show", "sentiment", "--json", "--top", "1", *shop).stdout)[0]
    assert text["reasons"][0]["feature"] in text["text"].lower()
    assert all(-1 <= aspect["value"] <= 1 for aspect in text["aspects"] or [])
    shown = dongcha("show", "sentiment", *shop).stdout
    assert "情绪" in shown
    assert "什么被称赞？什么被批评？" in shown
    assert profile["story"]["who"]
    assert profile["story"]["next"]
    told = dongcha("profile", who, "--language", "en", *shop).stdout
    assert all(chapter in told for chapter in ("Who", "What they buy", "What they feel", "What next"))

    matched = json.loads(dongcha("audience", "churn_probability > 0.5 and lifetime_value > 1", "--json", *shop).stdout)
    assert all(row["churn_probability"] > 0.5 for row in matched)


def test_questions_are_answered_from_the_shop_s_pages(report: str, folder: Path) -> None:
    shop = ("-w", str(folder))
    answer = json.loads(dongcha("ask", "拆封的食品能退吗？", "--json", *shop).stdout)
    assert answer["known"]
    assert answer["sources"][0]["source_id"] == "doc-returns"
    assert answer["mood"] in {"bad", "neutral", "good"}
    who = json.loads(dongcha("show", "churn", "--json", "--top", "1", *shop).stdout)[0]["entity_id"]
    told = dongcha("ask", "我上次买了什么？", "--customer", who, *shop)
    assert told.returncode == 0, told.stderr
    assert "订单 " in told.stdout
    assert "转人工" in told.stdout


def test_a_second_run_repeats_nothing(report: str, folder: Path) -> None:
    again = json.loads(dongcha("run", "--json", "-w", str(folder)).stdout)
    assert all(o["trained"]["unchanged"] and o["scored"]["unchanged"] for o in again)


def test_backtests_come_as_the_design_says(report: str, folder: Path) -> None:
    rows = json.loads(dongcha("backtest", "churn", "--json", "-w", str(folder)).stdout)
    wanted = {"insight", "fold", "as_of", "horizon_days", "n", "headline", "metrics", "baselines", "promoted"}
    assert all(wanted <= row.keys() for row in rows)
    assert {"recency_rule", "logistic_rfm"} == set(rows[0]["baselines"])
    assert all(rows[0]["headline"] in metrics for metrics in (rows[0]["metrics"], *rows[0]["baselines"].values()))


def test_models_can_be_listed_read_and_refused(report: str, folder: Path) -> None:
    shop = ("-w", str(folder))
    listed = json.loads(dongcha("models", "list", "--json", *shop).stdout)
    assert [row["champion"] for row in listed] == [True] * len(EVERY)
    card = json.loads(dongcha("models", "card", "churn", "--json", *shop).stdout)
    assert {"table_versions", "folds", "mean_metrics", "quality", "limits", "seed"} <= card.keys()
    assert dongcha("models", "card", "churn", *shop).returncode == 0
    assert dongcha("models", "rollback", "churn", *shop).returncode == 2
    assert "promote" in dongcha("audit", *shop).stdout


def test_the_doctor_finds_nothing_wrong(report: str, folder: Path) -> None:
    assert dongcha("doctor", "-w", str(folder)).returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "chrun"), "There is no insight 'chrun'"),
        (("show", "churn", "--customer", "nobody"), "nobody"),
        (("show", "churn", "--as-of", "soon"), "2011-09-10"),
        (("audience", "churn > 1"), "churn_probability"),
        (("profile", "nobody"), "nobody"),
        (("ask", "Where is my order?", "--customer", "nobody"), "nobody"),
        (("ask", " "), "No question"),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(
    report: str, folder: Path, words: tuple[str, ...], told: str
) -> None:
    done = dongcha(*words, "-w", str(folder))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
