"""Where profiles and screenplays come from: MIRROR-Mini, the official files, Cactus."""
