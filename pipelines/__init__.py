"""Composition of the floors below: settings, stages, catalogue, command line. Knows no Prefect."""
