"""Makes a believable company: the same seed, size and day always make the same one."""
