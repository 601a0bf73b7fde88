"""Readers and writers for the file formats that several tools share."""
