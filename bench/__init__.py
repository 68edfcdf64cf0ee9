"""What the portal's speed is worth: ratios against a floor measured in the same run.

Each module is a program: `python -m bench.lists`. bench/README.md has the last figures.
"""
