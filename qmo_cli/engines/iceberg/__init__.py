"""Orders that hide their size, and the zones they leave."""
