"""The subcommands of `sentinel`, one per file; each file's `command` is found by itself."""
