"""The hospital's front-end (前置): hospital software speaks plain JSON to it. README.md has the map."""
