"""Servers that tests talk to over real sockets: scripted, llama.cpp, and our own under uvicorn."""
