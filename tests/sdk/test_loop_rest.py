"""What is put off until the loop rests is done then, and not never."""

import asyncio

from perdure.sdk.loop import new_event_loop


def test_it_is_done_when_nothing_else_is_left_to_do() -> None:
    done: list[str] = []

    async def story() -> None:
        loop.call_at_rest(lambda: done.append("at rest"))
        for number in range(3):
            await asyncio.sleep(0)
            done.append(str(number))
        await asyncio.sleep(0.001)

    loop = new_event_loop()
    loop.run_until_complete(story())
    loop.close()
    assert done == ["0", "1", "2", "at rest"]


def test_a_loop_that_never_rests_does_it_all_the_same() -> None:
    async def story() -> int:
        future = loop.create_future()
        loop.call_at_rest(lambda: future.set_result(None))
        turns = 0
        while not future.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    loop = new_event_loop()
    assert 1 < loop.run_until_complete(story()) < 100
    loop.close()


def test_what_is_put_off_meanwhile_waits_for_the_next_rest() -> None:
    done: list[int] = []

    async def story() -> None:
        def again(number: int) -> None:
            done.append(number)
            if number < 3:
                loop.call_at_rest(lambda: again(number + 1))

        loop.call_at_rest(lambda: again(1))
        await asyncio.sleep(0.001)

    loop = new_event_loop()
    loop.run_until_complete(story())
    loop.close()
    assert done == [1, 2, 3]
