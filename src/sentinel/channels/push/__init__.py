"""Web push: notices on a phone's or a browser's own screen."""
