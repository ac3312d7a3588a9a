"""A model that ends without a word."""

import sys

if __name__ == "__main__":
    sys.exit(3)
