"""Writes the vectors that other implementations compute.

Each part needs its own virtual environment, because the packages want different versions of numpy:

    pip install gbstats==0.8.0          && python oracle.py means    > means.json
    pip install savvi==0.3.1 matplotlib && python oracle.py mismatch > mismatch.json
    pip install scipy                   && python oracle.py planned  > planned.json
"""

import json
import math
import sys


def means():
    """The difference of means of one stratum, by GrowthBook's sequential t-test."""
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import SampleMeanStatistic

    samples = [
        ((5_000, 1.25, 0.4), (5_000, 1.0, 0.4)),
        ((100, 812.5, 95.0), (9_900, 800.0, 120.0)),
        ((1_000_000, -3.0, 1e3), (1_000_000, 3.0, 1e-3)),
    ]
    for alpha in (0.05, 0.01):
        for candidate, stable in samples:
            statistics = []
            for count, mean, deviation in (stable, candidate):
                squares = (count - 1) * deviation**2
                statistics.append(SampleMeanStatistic(n=count, sum=count * mean, sum_squares=squares + count * mean**2))
            config = SequentialConfig(difference_type="absolute", alpha=alpha, sequential_tuning_parameter=5_000)
            test = SequentialTwoSidedTTest(*statistics, config)
            low, high = test.confidence_interval
            yield {
                "candidate": candidate,
                "stable": stable,
                "alpha": alpha,
                "estimate": test.point_estimate,
                "half_width": (high - low) / 2,
            }


def mismatch():
    """The share check, by savvi's multinomial test."""
    import numpy
    from savvi.multinomial import Multinomial

    for weight, candidate, stable in [(1_000, 3, 997), (5_000, 80, 900), (25_000, 250, 750), (50_000, 480, 520)]:
        share = weight / 100_000
        test = Multinomial(0.001, numpy.array([share, 1 - share]))
        test.update(numpy.array([candidate, stable]))
        yield {"weight": weight, "candidate": candidate, "stable": stable, "ln_e": math.log(test.odds)}


def planned():
    """The planned-share test, as a ratio of binomial likelihoods by scipy."""
    import numpy
    from scipy.special import logsumexp
    from scipy.stats import binom

    def log_likelihood(groups, ratio):
        return sum(
            binom.logpmf(candidate, bad, share * ratio / (1 + share * (ratio - 1)))
            for share, candidate, bad in ((weight / 100_000, candidate, bad) for weight, candidate, bad in groups)
        )

    cases = [
        [(1_000, 2, 9)],
        [(5_000, 0, 40)],
        [(50_000, 30, 40)],
        [(1_000, 1, 50), (5_000, 9, 70), (25_000, 40, 80), (50_000, 100, 160)],
        [(99_999, 400, 401)],
    ]
    for groups in cases:
        for tolerate in (1.0, 1.25, 2.0):
            ratios = tolerate * numpy.geomspace(1.1, 64, 24)
            logs = [log_likelihood(groups, ratio) - log_likelihood(groups, tolerate) for ratio in ratios]
            yield {"groups": groups, "tolerate": tolerate, "ln_e": float(logsumexp(logs) - math.log(24))}


PARTS = {"means": means, "mismatch": mismatch, "planned": planned}

if __name__ == "__main__":
    rows = [json.dumps(row) for row in PARTS[sys.argv[1]]()]
    print("[\n " + ",\n ".join(rows) + "\n]")
