"""How much price moves: estimators, their yearly scale, and the regime."""
