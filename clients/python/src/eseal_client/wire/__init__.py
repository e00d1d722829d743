"""Generated from proto/eseal/v1 by proto/generate.py."""
