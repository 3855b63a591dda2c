"""The parts of the drawn face, from background to spectacles."""
