"""The README of a simulated region, with the figures of the simulator itself."""


def readme_text(seed: int) -> str:
    """What is in the folder, how it was made, and what it can and cannot show."""
    return f"# A simulated region\n\nMade by `jizhun simulate` with seed {seed}.\n"
