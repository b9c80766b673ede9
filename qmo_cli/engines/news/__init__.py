"""News: scheduled events from a calendar, headlines, and what price and flow did around events of a kind."""
