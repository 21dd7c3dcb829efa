"""Run the scripted endpoint: prints its port and serves until it is ended."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from pathlib import Path

from tests.support.endpoint.plan import Plan
from tests.support.endpoint.server import Server


async def serve(plan: Plan, port: int, bill: Path | None, until_input_ends: bool) -> None:
    server = Server(plan, bill)
    print(await server.start(port), flush=True)
    # What is alive now stays: collections then look at requests only.
    gc.freeze()
    if until_input_ends:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    else:
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.endpoint", description=__doc__)
    parser.add_argument("--plan", type=Path, help="JSON file with a plan; without one, every message is echoed")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--bill", type=Path, help="append every request to this file")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input is closed")
    given = parser.parse_args()
    plan = Plan.model_validate_json(given.plan.read_bytes()) if given.plan else Plan()
    asyncio.run(serve(plan, given.port, given.bill, given.until_input_ends))


main()
