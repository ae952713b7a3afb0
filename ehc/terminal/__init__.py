"""A window's reading terminal (识读终端) as a running program: `ehc reader run`. README.md has the map."""
