"""What lies between satellite and receiver, and how the station moves: one physical effect a file."""
