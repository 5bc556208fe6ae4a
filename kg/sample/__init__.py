r"""A market of invented companies, funds and investors, written as a market folder; its right answers are known.

Everything follows from a seed and a `SampleSize`. Half of the companies and fund houses are of Taiwan, half of
the US. No name stands for a real company, fund or person. Each part draws from its own stream of PCG64, so that
a change of one part leaves the others as they were.

Prices. With c(j) the country and k(j) the industry of company j, daily log returns are

    r_jt = beta_j (0.0003 + w_t + l_c(j)t) + f_k(j)t + s_j e_jt + alpha_j - s_j^2 / 4

with world, country and industry factors w ~ N(0, 0.75%), l ~ N(0, 0.55%), f ~ N(0, 0.60%), own volatility s_j
(per day) and e ~ Student t with 5 degrees of freedom, scaled to variance 1. Bonds earn their rate less duration
times the change of their country's yield. A fund earns what the holdings of its last statement earn, less its fee,
with currencies hedged. Three years are simulated before the first price that is written.

Funds hold, of the companies that fit their theme, the 30 with the largest cap^0.6 exp(view); statements are of the
end of March and September and known 20 days later; a new fund's first one is of its first day.

Facts follow from prices and quarterly accounts: return_1y, return_3y, peer_rank_1y (the rank among the same industry
or category divided by its size: 0.04 is the first of 25), pe_ratio and dividend_yield at month-ends, known three
business days later; roe at quarter ends, known 45 days later; aum of funds, in millions.

What asset j is worth to investor i, for good:

    u_ij = - 14 max(risk_j - a_i, 0)^2 - 5 max(a_i - risk_j, 0)^2     the risk that i wants, on a scale of 0 to 1
           + 1.5 taste_i . mix_j                                      industries; a fund's are those it holds, times 1.5
           + 1.0 home_i . region_j                                    the own country
           + 0.5 wish_o(i) income_j                                   the objective: income, or growth instead
           + (love_i + wish'_o(i) + house_i,h(j)) [j is a fund]       beginners and pensioners like funds
           + 1.2 style_i . style_j                                    a character that no table shows
           + 0.35 fame_j + 0.8 [j is a bond]

The stated risk level is a_i read with an error, by thresholds; every fifth investor is asked twice. Objective,
experience and capacity are as stated; a few answers are missing.

What i buys in month t, from what i never held and what is listed, are the largest of

    V_ijt = u_ij + 0.25 herd_jt + 0.7 log(1 + n_c(i)jt) + chase_i momentum_jt + 1.2 [j is new] + 0.7 G_ijt

with the standardised log number of holders, the number n of holders in i's circle of about 25 people, the half-year
return, and Gumbel noise G: choices without replacement with chances in the ratio of exp(V / 0.7) (Plackett-Luce;
Gumbel-top-k of Kool, van Hoof and Welling, 2019). How many: Poisson with i's own pace. Each month a position is sold
with a chance of about 2% (more where u is low; a quarter of the sales are of one half), and added to with one of 3%.
One investor in sixteen never buys.

Statements of positions are of the end of June and December; those of the first day are all that is known of
earlier purchases. Values are in the asset's currency; a statement's weights are in dollars at 32 TWD. Some assets
are listed in the last 45 days, so that they have few holders.

`write_sample_market` writes the folder; `pathfolio.kg.sample.truth.preferences` gives u, a and the tastes.
"""

from __future__ import annotations

from pathfolio.kg.sample.size import SampleSize
from pathfolio.kg.sample.write import write_sample_market

__all__ = ["SampleSize", "write_sample_market"]
