"""Quality over time: daily figures of a station, and what changed in them."""
