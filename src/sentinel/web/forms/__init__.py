"""The forms of the console; they check the shape, services and workflows check the sense."""
