"""One model held by several engines: on Ray, or behind several servers."""
