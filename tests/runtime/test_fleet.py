"""The queue for a function's workers."""

import asyncio
from pathlib import Path

from perdure.runtime.fleet import Fleet, Ticket

from .rig import Rig


def test_who_has_left_waits_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = Fleet(function=Rig(tmp_path).function(""))
        loop = asyncio.get_running_loop()
        first, second = (Ticket(number=n, grant=loop.create_future()) for n in (1, 2))
        fleet.tickets += [first, second]
        assert fleet.waiting == 2
        first.grant.cancel()
        assert fleet.first_ticket() is second
        assert fleet.waiting == 1

    asyncio.run(story())
