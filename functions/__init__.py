"""What the function image holds: the doors Lambda calls, and the rooms behind them."""
