"""A USB headset without hardware: it speaks USB/IP, so that a kernel anywhere takes it for a real one."""
