"""Makes the image of a board: ``scripts/build-image PORT``."""
