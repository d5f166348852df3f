"""Coverage-guided fuzzing with atheris, run by hand: see README.md."""
