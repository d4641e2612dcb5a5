"""A board in QEMU: started, driven, reset and cut off from its power by the bench."""
