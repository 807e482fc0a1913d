"""What alembic runs for each command. Refuses to run without the connection, or the dialect, that receiver/migrate.py hands over."""

from alembic import context

from receiver.tables import metadata


def run() -> None:
    """Runs the migrations that are missing in one transaction, or prints them as SQL for a dialect."""
    given = context.config.attributes
    if context.is_offline_mode():
        context.configure(dialect_name=given["dialect"], target_metadata=metadata, literal_binds=True)
    else:
        context.configure(connection=given["connection"], target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
