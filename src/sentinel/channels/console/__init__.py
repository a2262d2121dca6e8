"""The console: notices that users read on Sentinel's own pages."""
