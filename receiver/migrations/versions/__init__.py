"""One module a migration, numbered; once released, none is changed."""
