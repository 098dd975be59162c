"""A search over recipes: what is searched, the search itself, and what it leaves."""
