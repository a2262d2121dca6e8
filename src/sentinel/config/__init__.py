"""Configuration: the one package that may see everything and that nothing else may import.

Owns the settings by concern (`settings/`), what the outside may set (`environment`), the root urls,
the server's entry point and the wiring, which chooses the adapters. Refuses to hold behaviour:
whatever decides something belongs to a package below and takes its values as arguments.
"""
