from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from lamplighter.geometry.blas_threads import one_blas_thread


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_blas_stays_limited_until_the_last_job_has_left() -> None:
    with threadpool_limits(2, user_api="blas"):
        one, other = one_blas_thread(), one_blas_thread()
        with one:
            other.__enter__()
        assert blas_threads() == {1}
        other.__exit__(None, None, None)
        assert blas_threads() == {2}
