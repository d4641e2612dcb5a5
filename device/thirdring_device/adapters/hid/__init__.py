"""Buttons and lamps of headsets: USB HID telephony, by report descriptor."""
