"""conda's files: the plugin's drop-in, all condarc files, caches and token files."""
