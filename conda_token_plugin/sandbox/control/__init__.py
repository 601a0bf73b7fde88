"""The sandbox's control interface."""
