"""The ground floor: time, errors, settings, the contract."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dongcha
from dongcha import columns
from dongcha.as_of import AsOf, Horizon
from dongcha.errors import DongchaError, SettingsError, UsageError
from dongcha.settings import TEMPLATE, Settings, read_settings
from dongcha.warehouse.tables import CONTRACT

zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=zones))
def test_a_cutoff_is_the_same_moment_in_every_zone_and_reads_back(moment: datetime) -> None:
    assert AsOf(moment).moment == moment
    assert AsOf.parse(str(AsOf(moment))) == AsOf(moment)


def test_a_cutoff_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        AsOf(datetime(2024, 1, 1))


@pytest.mark.parametrize("text", ["", "yesterday", "2011-13-01", "2011-02-30"])
def test_what_is_not_a_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2011-09-10"):
        AsOf.parse(text)


def test_a_horizon_is_days_of_24_hours() -> None:
    start = AsOf.parse("2024-03-30T00:00:00+01:00")
    assert (start + Horizon(2)).moment - start.moment == timedelta(hours=48)
    with pytest.raises(UsageError):
        Horizon(0)


def test_every_error_has_an_exit_code_of_its_own_family() -> None:
    kinds = [
        kind for kind in vars(dongcha.errors).values() if isinstance(kind, type) and issubclass(kind, DongchaError)
    ]
    assert all(kind.exit_code > 0 for kind in kinds)
    assert all(kind.__name__ in (dongcha.errors.__doc__ or "") for kind in kinds)


def test_the_public_names_are_these() -> None:
    assert sorted(dongcha.__all__) == dongcha.__all__
    assert set(dongcha.__all__) == {
        "AccessError", "AsOf", "BusyError", "ConflictError", "ContractError", "DongchaError", "Horizon",
        "InputError", "MissingDataError", "SettingsError", "StoreError", "ThrottledError", "UnknownError", "UsageError",
        "__version__", "new", "open",
    }  # fmt: skip
    assert all(hasattr(dongcha, name) for name in dongcha.__all__)


def test_the_template_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "dongcha.toml").write_text(TEMPLATE, "utf-8")
    assert read_settings(tmp_path) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dongcha.toml").write_text("[time]\nhorizon_days = 30\nfolds = 2\n", "utf-8")
    monkeypatch.setenv("DONGCHA_TIME__HORIZON_DAYS", "60")
    assert read_settings(tmp_path).time.horizon_days == 60
    assert read_settings(tmp_path).time.folds == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[time]\nhorizon_days = 0\n", "time.horizon_days"),
        ("[time]\nhorizon = 30\n", "time.horizon"),
        ("[shop]\ntime_zone = 'Shanghai'\n", "Asia/Shanghai"),
        ("[shop]\ncurrency = 'pounds'\n", "shop.currency"),
        ("[shop\n", "not valid TOML"),
        ("[answers]\nbase_url = 'https://user:secret@host/v1'\n", "answers.base_url"),
        ("[answers]\nleast_sure = 2\n", "answers.least_sure"),
    ],
)
def test_a_wrong_setting_is_told_by_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "dongcha.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=told):
        read_settings(tmp_path)


def test_the_contract_is_the_ten_tables_each_with_its_key_and_times() -> None:
    assert len(CONTRACT) == 10
    for table in CONTRACT.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert set(table.key) <= set(names)
        assert {columns.HAPPENED_AT, columns.KNOWN_AT, columns.SOURCE, columns.EXTRAS} <= set(names)
        assert all(table.column(key).required for key in table.key)


def test_now_is_utc_in_the_one_clock_there_is() -> None:
    from dongcha.assemble import utc_now

    assert utc_now().tzinfo is UTC
