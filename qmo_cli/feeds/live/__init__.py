"""The live stream: connected, kept connected, and resumed where it broke off."""
