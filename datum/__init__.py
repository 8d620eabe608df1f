"""Many stations: networks, heights, gravity, and their surfaces."""
