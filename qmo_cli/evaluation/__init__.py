"""How good the detectors are, measured on simulated markets whose truth is known."""
