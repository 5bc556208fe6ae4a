"""The formulas of Alpha101 that need prices and volume only, as `alphas` reads them.

Kakushadze (2016), "101 Formulaic Alphas", Wilmott 84 (arXiv 1601.00991), appendix A. Windows that are no whole number
of days are rounded down, as the paper has it; `mean(x, d)` is its `sum(x, d) / d`, `mix(x, y, w)` its
`x * w + y * (1 - w)`, `a <= b` its `(a < b) || (a == b)`, and what it multiplies by 1 or adds to nothing is left out.
Not among them are the 18 whose inputs are neutralised by sector or industry, which a panel of prices does not have (48,
58, 59, 63, 67, 69, 70, 76, 79, 80, 82, 87, 89, 90, 91, 93, 97, 100), and 56, which needs market capitalisation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

ALPHAS: Final = MappingProxyType[int, str](
    {
        1: "rank(argmax(where(ret < 0, std(ret, 20), close) ** 2, 5)) - .5",
        2: "-corr(rank(delta(log(volume), 2)), rank((close - open) / open), 6)",
        3: "-corr(rank(open), rank(volume), 10)",
        4: "-ts_rank(rank(low), 9)",
        5: "rank(open - mean(vwap, 10)) * -abs(rank(close - vwap))",
        6: "-corr(open, volume, 10)",
        7: "where(adv20 < volume, -ts_rank(abs(delta(close, 7)), 60) * sign(delta(close, 7)), -1)",
        8: "-rank(sum(open, 5) * sum(ret, 5) - delay(sum(open, 5) * sum(ret, 5), 10))",
        9: (
            "where(0 < ts_min(delta(close, 1), 5), delta(close, 1), where(ts_max(delta(close, 1), 5) < 0, "
            "delta(close, 1), -delta(close, 1)))"
        ),
        10: (
            "rank(where(0 < ts_min(delta(close, 1), 4), delta(close, 1), where(ts_max(delta(close, 1), 4) < 0, "
            "delta(close, 1), -delta(close, 1))))"
        ),
        11: "(rank(ts_max(vwap - close, 3)) + rank(ts_min(vwap - close, 3))) * rank(delta(volume, 3))",
        12: "sign(delta(volume, 1)) * -delta(close, 1)",
        13: "-rank(cov(rank(close), rank(volume), 5))",
        14: "-rank(delta(ret, 3)) * corr(open, volume, 10)",
        15: "-sum(rank(corr(rank(high), rank(volume), 3)), 3)",
        16: "-rank(cov(rank(high), rank(volume), 5))",
        17: "-rank(ts_rank(close, 10)) * rank(delta(delta(close, 1), 1)) * rank(ts_rank(volume / adv20, 5))",
        18: "-rank(std(abs(close - open), 5) + (close - open) + corr(close, open, 10))",
        19: "-sign(close - delay(close, 7) + delta(close, 7)) * (1 + rank(1 + sum(ret, 250)))",
        20: "-rank(open - delay(high, 1)) * rank(open - delay(close, 1)) * rank(open - delay(low, 1))",
        21: (
            "where(mean(close, 8) + std(close, 8) < mean(close, 2), -1, where(mean(close, 2) < mean(close, 8) - "
            "std(close, 8), 1, where(1 <= volume / adv20, 1, -1)))"
        ),
        22: "-(delta(corr(high, volume, 5), 5) * rank(std(close, 20)))",
        23: "where(mean(high, 20) < high, -delta(high, 2), 0)",
        24: (
            "where(delta(mean(close, 100), 100) / delay(close, 100) <= .05, -(close - ts_min(close, 100)), "
            "-delta(close, 3))"
        ),
        25: "rank(-ret * adv20 * vwap * (high - close))",
        26: "-ts_max(corr(ts_rank(volume, 5), ts_rank(high, 5), 5), 3)",
        27: "where(.5 < rank(mean(corr(rank(volume), rank(vwap), 6), 2)), -1, 1)",
        28: "scale(corr(adv20, low, 5) + (high + low) / 2 - close)",
        29: (
            "ts_min(rank(rank(scale(log(ts_min(rank(rank(-rank(delta(close - 1, 5)))), 2))))), 5) + "
            "ts_rank(delay(-ret, 6), 5)"
        ),
        30: (
            "(1 - rank(sign(close - delay(close, 1)) + sign(delay(close, 1) - delay(close, 2)) + sign(delay(close, 2) "
            "- delay(close, 3)))) * sum(volume, 5) / sum(volume, 20)"
        ),
        31: (
            "rank(rank(rank(decay(-rank(rank(delta(close, 10))), 10)))) + rank(-delta(close, 3)) + "
            "sign(scale(corr(adv20, low, 12)))"
        ),
        32: "scale(mean(close, 7) - close) + 20 * scale(corr(vwap, delay(close, 5), 230))",
        33: "rank(-(1 - open / close))",
        34: "rank(1 - rank(std(ret, 2) / std(ret, 5)) + (1 - rank(delta(close, 1))))",
        35: "ts_rank(volume, 32) * (1 - ts_rank(close + high - low, 16)) * (1 - ts_rank(ret, 32))",
        36: (
            "2.21 * rank(corr(close - open, delay(volume, 1), 15)) + .7 * rank(open - close) + .73 * "
            "rank(ts_rank(delay(-ret, 6), 5)) + rank(abs(corr(vwap, adv20, 6))) + .6 * rank((mean(close, 200) - open) "
            "* (close - open))"
        ),
        37: "rank(corr(delay(open - close, 1), close, 200)) + rank(open - close)",
        38: "-rank(ts_rank(close, 10)) * rank(close / open)",
        39: "-rank(delta(close, 7) * (1 - rank(decay(volume / adv20, 9)))) * (1 + rank(sum(ret, 250)))",
        40: "-rank(std(high, 10)) * corr(high, volume, 10)",
        41: "(high * low) ** .5 - vwap",
        42: "rank(vwap - close) / rank(vwap + close)",
        43: "ts_rank(volume / adv20, 20) * ts_rank(-delta(close, 7), 8)",
        44: "-corr(high, rank(volume), 5)",
        45: (
            "-(rank(mean(delay(close, 5), 20)) * corr(close, volume, 2) * rank(corr(sum(close, 5), sum(close, 20), 2)))"
        ),
        46: (
            "where(.25 < (delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10, -1, "
            "where((delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10 < 0, 1, -(close - "
            "delay(close, 1))))"
        ),
        47: (
            "rank(1 / close) * volume / adv20 * (high * rank(high - close) / mean(high, 5)) - rank(vwap - delay(vwap, "
            "5))"
        ),
        49: (
            "where((delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10 < -.1, 1, -(close - "
            "delay(close, 1)))"
        ),
        50: "-ts_max(rank(corr(rank(volume), rank(vwap), 5)), 5)",
        51: (
            "where((delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10 < -.05, 1, -(close - "
            "delay(close, 1)))"
        ),
        52: (
            "(-ts_min(low, 5) + delay(ts_min(low, 5), 5)) * rank((sum(ret, 240) - sum(ret, 20)) / 220) * "
            "ts_rank(volume, 5)"
        ),
        53: "-delta((close - low - (high - close)) / (close - low), 9)",
        54: "-((low - close) * open ** 5) / ((low - high) * close ** 5)",
        55: "-corr(rank((close - ts_min(low, 12)) / (ts_max(high, 12) - ts_min(low, 12))), rank(volume), 6)",
        57: "-((close - vwap) / decay(rank(argmax(close, 30)), 2))",
        60: (
            "-(2 * scale(rank((close - low - (high - close)) / (high - low) * volume)) - scale(rank(argmax(close, "
            "10))))"
        ),
        61: "rank(vwap - ts_min(vwap, 16)) < rank(corr(vwap, adv180, 17))",
        62: (
            "-(rank(corr(vwap, sum(adv20, 22), 9)) < rank(rank(open) + rank(open) < rank((high + low) / 2) + "
            "rank(high)))"
        ),
        64: (
            "-(rank(corr(sum(mix(open, low, .178404), 12), sum(adv120, 12), 16)) < rank(delta(mix((high + low) / 2, "
            "vwap, .178404), 3)))"
        ),
        65: "-(rank(corr(mix(open, vwap, .00817205), sum(adv60, 8), 6)) < rank(open - ts_min(open, 13)))",
        66: "-(rank(decay(delta(vwap, 3), 7)) + ts_rank(decay((low - vwap) / (open - (high + low) / 2), 11), 6))",
        68: "-(ts_rank(corr(rank(high), rank(adv15), 8), 13) < rank(delta(mix(close, low, .518371), 1)))",
        71: (
            "maximum(ts_rank(decay(corr(ts_rank(close, 3), ts_rank(adv180, 12), 18), 4), 15), ts_rank(decay(rank(low "
            "+ open - (vwap + vwap)) ** 2, 16), 4))"
        ),
        72: (
            "rank(decay(corr((high + low) / 2, adv40, 8), 10)) / rank(decay(corr(ts_rank(vwap, 3), ts_rank(volume, "
            "18), 6), 2))"
        ),
        73: (
            "-maximum(rank(decay(delta(vwap, 4), 2)), ts_rank(decay(-(delta(mix(open, low, .147155), 2) / mix(open, "
            "low, .147155)), 3), 16))"
        ),
        74: "-(rank(corr(close, sum(adv30, 37), 15)) < rank(corr(rank(mix(high, vwap, .0261661)), rank(volume), 11)))",
        75: "rank(corr(vwap, volume, 4)) < rank(corr(rank(low), rank(adv50), 12))",
        77: (
            "minimum(rank(decay((high + low) / 2 + high - (vwap + high), 20)), rank(decay(corr((high + low) / 2, "
            "adv40, 3), 5)))"
        ),
        78: (
            "rank(corr(sum(mix(low, vwap, .352233), 19), sum(adv40, 19), 6)) ** rank(corr(rank(vwap), rank(volume), 5))"
        ),
        81: (
            "-(rank(log(product(rank(rank(corr(vwap, sum(adv10, 49), 8)) ** 4), 14))) < rank(corr(rank(vwap), "
            "rank(volume), 5)))"
        ),
        83: (
            "rank(delay((high - low) / mean(close, 5), 2)) * rank(rank(volume)) / ((high - low) / mean(close, 5) / "
            "(vwap - close))"
        ),
        84: "ts_rank(vwap - ts_max(vwap, 15), 20) ** delta(close, 4)",
        85: (
            "rank(corr(mix(high, close, .876703), adv30, 9)) ** rank(corr(ts_rank((high + low) / 2, 3), "
            "ts_rank(volume, 10), 7))"
        ),
        86: "-(ts_rank(corr(close, sum(adv20, 14), 6), 20) < rank(open + close - (vwap + open)))",
        88: (
            "minimum(rank(decay(rank(open) + rank(low) - (rank(high) + rank(close)), 8)), "
            "ts_rank(decay(corr(ts_rank(close, 8), ts_rank(adv60, 20), 8), 6), 2))"
        ),
        92: (
            "minimum(ts_rank(decay((high + low) / 2 + close < low + open, 14), 18), ts_rank(decay(corr(rank(low), "
            "rank(adv30), 7), 6), 6))"
        ),
        94: "-rank(vwap - ts_min(vwap, 11)) ** ts_rank(corr(ts_rank(vwap, 19), ts_rank(adv60, 4), 18), 2)",
        95: (
            "rank(open - ts_min(open, 12)) < ts_rank(rank(corr(sum((high + low) / 2, 19), sum(adv40, 19), 12)) ** 5, "
            "11)"
        ),
        96: (
            "-maximum(ts_rank(decay(corr(rank(vwap), rank(volume), 3), 4), 8), "
            "ts_rank(decay(argmax(corr(ts_rank(close, 7), ts_rank(adv60, 4), 3), 12), 14), 13))"
        ),
        98: (
            "rank(decay(corr(vwap, sum(adv5, 26), 4), 7)) - rank(decay(ts_rank(argmin(corr(rank(open), rank(adv15), "
            "20), 8), 6), 8))"
        ),
        99: "-(rank(corr(sum((high + low) / 2, 19), sum(adv60, 19), 8)) < rank(corr(low, volume, 6)))",
        101: "(close - open) / (high - low + .001)",
    }
)
"""By number; `adv20` is the mean of 20 days' volume, and `ret` the day's return."""
