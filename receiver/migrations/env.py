"""What alembic runs for each command. Refuses to run without the connection that receiver/migrate.py hands over."""

from alembic import context

from receiver.tables import metadata


def run() -> None:
    """Runs the migrations that are missing, in one transaction."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
