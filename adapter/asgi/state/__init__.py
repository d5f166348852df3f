"""What is stored, over HTTP: one file per resource."""
