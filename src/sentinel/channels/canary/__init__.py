"""The channel of the test messages: nobody reads it, but every part that carries alarms carries it."""
