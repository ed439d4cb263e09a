"""What a server stands on, opened by its settings."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from perdure.settings import ServerSettings
from perdure.store.protocol import StoreOpenError
from perdure.stores import lay_foundation

from .clusters import a_database


def test_a_database_that_may_not_be_written_to_is_said_to_be_so(tmp_path: Path) -> None:
    """SR-28: a role that lacks a right is told which, before anything runs."""
    url = a_database(tmp_path)
    limited = url.replace("//postgres@", "//perdure_reader@")
    if limited == url:
        pytest.skip("the server that was given has other roles")
    settings = ServerSettings(
        data_folder=tmp_path, store_url=limited, allows_weak_durability=True, has_console=False
    )

    async def story() -> None:
        admin = await asyncpg.connect(url)
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'perdure_reader'"):
            await admin.execute("CREATE ROLE perdure_reader LOGIN")
        await admin.execute(
            "GRANT USAGE ON SCHEMA perdure TO perdure_reader;"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA perdure"
            " TO perdure_reader;"
            "REVOKE INSERT ON perdure.record FROM perdure_reader"
        )
        with pytest.raises(
            StoreOpenError, match="cannot be written to: permission denied for table record"
        ):
            await lay_foundation(settings, on_unknown=print)
        await admin.execute("GRANT INSERT ON perdure.record TO perdure_reader")
        foundation = await lay_foundation(settings, on_unknown=print)
        await foundation.aclose()
        await admin.close()

    asyncio.run(story())
