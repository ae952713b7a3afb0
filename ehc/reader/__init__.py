"""识读终端 (5.6.2): image or camera frame in, payload and verdict out. The steps stand in README.md."""
