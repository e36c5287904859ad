"""The secret that stand-ins are drawn with: made once for each store, kept in it, and in no dataset.

With it, the same value has the same stand-in in all exports of the store; without it, nobody can find the value by
trying all values.
"""

from __future__ import annotations

import secrets

from logminer.errors import StorageError
from logminer.store.storage import Storage

_NAME = "secrets/redaction.bin"
_SIZE_BYTES = 32


def store_salt(storage: Storage) -> bytes:
    """The store's salt; the first one to ask makes it. Raises StorageError, ConfigurationError."""
    salt = storage.read_bytes(_NAME)
    if salt is None:
        storage.put_new(_NAME, secrets.token_bytes(_SIZE_BYTES))
        salt = storage.read_bytes(_NAME)
    if salt is None or len(salt) != _SIZE_BYTES:
        raise StorageError(
            f"the secret for stand-ins is not {_SIZE_BYTES} bytes long",
            where=storage.path(_NAME),
            fix="Restore it from a backup. If you delete it, later exports have other stand-ins.",
        )
    return salt
