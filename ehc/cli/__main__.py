"""python -m ehc.cli"""

from ehc.cli.main import main

main()
