"""The command line. `main.py` names every command; a command reads its input, calls a system, prints."""
