"""The AT console's language: ITU-T V.250 lines, 3GPP TS 27.007 calls, and our own ``AT#`` commands.

Sans-io and standard library only; the device's server, the SDK's serial transport and the bench share it.
"""
