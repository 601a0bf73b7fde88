"""The outside world, each thing once: files, locks, keyring calls, HTTP."""
