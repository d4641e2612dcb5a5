"""What crosses the wire between appliance and host: events, commands, errors, the AT codec.

Sans-io and standard library only. The device imports it too, so that there is one definition.
"""
