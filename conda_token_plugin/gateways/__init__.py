"""Access to files, locks, the keyring and HTTP: one module for each job."""
