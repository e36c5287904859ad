"""Some rounds of the soak test; `make soak` plays as many as one likes."""

from __future__ import annotations

import random

import pytest

from .conftest import BucketCommandLine
from .servers import Bucket
from .soak import Prefix, check, play


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_round(bucket: Bucket, s3run: BucketCommandLine, seed: int) -> None:
    play(bucket, s3run, seed, kills=2)


def test_what_an_undisturbed_run_gives(bucket: Bucket, s3run: BucketCommandLine) -> None:
    """The rounds are held against what lies below the prefix; so is a run that nobody disturbs."""
    prefix = Prefix(bucket, random.Random(0))
    prefix.add(12)
    assert s3run("ingest", bucket.uri("logs"), "--store", "store").code == 0
    check(prefix, s3run, str(s3run.folder / "store"))
    prefix.add(1)
    with pytest.raises(AssertionError):
        check(prefix, s3run, str(s3run.folder / "store"))
