"""The sandbox's organization service."""
