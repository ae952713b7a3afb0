"""Family A of the field's interfaces, `POST /api/do`. The profiles' README.md describes it."""
