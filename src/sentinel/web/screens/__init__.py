"""One module per screen: what it answers, who may see it, what it changes."""
