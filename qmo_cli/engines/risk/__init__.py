"""Capital protection: guards over the trader's own account. What cannot be known is not allowed."""
