"""The serial console: an AT server on a pty and on serial ports, each console with its own session."""
