"""Prefect, and nothing else: it runs what `pipelines` computes, retries it, and keeps the record of runs."""
