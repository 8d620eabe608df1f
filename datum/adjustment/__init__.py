"""The least-squares core that heights and gravity share: solve, test, find blunders."""
