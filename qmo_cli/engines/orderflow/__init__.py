"""Who was aggressive, where, and how unusual that is."""
