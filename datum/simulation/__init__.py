"""The heights, gravity and common points of the sample region, as plain CSV with their truth."""
