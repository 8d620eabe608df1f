"""Double differences: from two stations' observations to the vector between them."""
