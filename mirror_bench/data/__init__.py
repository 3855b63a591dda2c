"""Where scenarios come from: loaders, the screenplay parser and exports."""
