"""What the screens show, put together from several domains as plain values; nothing here writes."""
