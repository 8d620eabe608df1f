"""Prefect alone: the pipelines' stages as tasks and flows, with retries and schedules."""
