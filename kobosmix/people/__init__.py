"""Persons as the forms, the matching and the tables know them: by number, never by name."""
