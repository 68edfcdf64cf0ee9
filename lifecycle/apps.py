from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class LifecycleConfig(AppConfig):
    name = "lifecycle"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lifecycle import checks, person_index, signals  # noqa: F401 - registers itself

        connection_created.connect(person_index.add_function)
        post_migrate.connect(mend_person_index, sender=self)
        post_migrate.connect(guard_steps, sender=self)


def mend_person_index(using: str, **_: Any) -> None:
    from lifecycle import person_index

    person_index.mend(connections[using])


def guard_steps(using: str, **_: Any) -> None:
    from lifecycle import step_triggers
    from lifecycle.models import StatusChange

    connection = connections[using]
    # `migrate` may have gone back to before there were changes.
    if StatusChange._meta.db_table in connection.introspection.table_names():
        step_triggers.install(connection)
