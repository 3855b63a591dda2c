"""Training against the simulated client: rollouts on the train split, and what they are rewarded for."""
