"""One station: its files in, its quality report and its solution out."""
