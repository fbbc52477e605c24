"""Money is shown in the currency that the orders name, and a mixture is told."""

from pathlib import Path

import pytest

import dongcha

HEADER = "order_id,customer_id,quantity,price,currency,happened_at\n"


@pytest.mark.parametrize(
    ("rows", "setting", "shown", "told"),
    [
        (["GBP", "GBP"], "", "GBP", False),
        (["GBP", "GBP"], "CNY", "CNY", False),
        (["", ""], "", "", False),
        (["EUR", "CNY", "CNY"], "", "CNY", True),
    ],
)
def test_money_is_shown_in_the_orders_own_currency(
    tmp_path: Path, rows: list[str], setting: str, shown: str, told: bool
) -> None:
    shop = dongcha.new(tmp_path / "shop", currency=setting)
    assert shop.currency == setting
    file = tmp_path / "orders.csv"
    file.write_text(HEADER + "".join(f"o{k},c,1,5,{code},2024-01-05\n" for k, code in enumerate(rows)))
    shop.load(file, "orders")
    assert shop.currency == shown
    findings = shop.status()["tables"][0]["findings"]
    assert any("EUR" in finding for finding in findings) is told
