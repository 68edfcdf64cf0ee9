"""One file per family of endpoints; each function is one call and returns its `data`."""
