"""The README is right: its tables match the code, and its snippets run and print what they say."""
