"""Pytest plugin of the hardware-in-the-loop bench."""
