"""What the line of a step says of rows and questions that came to nothing."""

from __future__ import annotations

from dataflywheel.store.record import StepRecord


def without_value(record: StepRecord) -> str:
    """What to say of rows about which a model gave no answer that could be read."""
    return "".join(
        f"; {one['signal']}: {one['rows']:,} of {one['of']:,} rows have no value; most often: {one['reason']}"
        for one in record.details.get("without_value", [])
    )


def tried_again(record: StepRecord) -> str:
    """What to say of questions that another try may answer."""
    again = record.again
    return f"; the endpoint failed at {again:,}, which the same command tries again" if again else ""
