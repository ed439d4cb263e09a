"""Tests of ``stock_transfer``: what it returns, and what is left of it when it dies anywhere."""

import stock_transfer

from perdure.testing import DurableFunctionTestRunner, crash_everywhere

EVENT = {"id": "t-1", "count": 4}


def test_what_leaves_one_warehouse_arrives_at_the_other() -> None:
    stock_transfer.warehouses = stock_transfer.Warehouses()
    with DurableFunctionTestRunner(stock_transfer.handler) as runner:
        result = runner.run(EVENT)

    assert result.value == {"north": 6, "south": 4}
    assert result.get_step("take out").result == "6"


@crash_everywhere(idempotent={"take out", "put in"})
def test_no_stock_is_lost_or_made_wherever_it_dies() -> None:
    # Run again for every place at which the handler can die: before a checkpoint, after it, and
    # before its answer is heard. Each run must come to what the undisturbed one came to.
    stock_transfer.warehouses = stock_transfer.Warehouses()
    with DurableFunctionTestRunner(stock_transfer.handler) as runner:
        runner.run(EVENT)

    assert stock_transfer.warehouses.stock == {"north": 6, "south": 4}


def test_the_report_names_the_steps_that_may_run_twice() -> None:
    stock_transfer.warehouses = stock_transfer.Warehouses()
    with DurableFunctionTestRunner(stock_transfer.handler) as runner:
        report = runner.check_crash_safety(EVENT)

    assert report.is_safe
    assert set(report.repeated_steps) == {"take out", "put in"}
