"""Run many studies, or one region by its districts."""
