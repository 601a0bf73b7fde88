"""The sandbox's package repository."""
