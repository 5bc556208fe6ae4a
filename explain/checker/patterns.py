"""The sentences of reasons as patterns, written down apart from the templates that write them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

_EN: Final = {
    "N": r"[\d,]+",
    "F": r"[−-]?[\d,]+\.\d+",
    "P": r"[−-]?[\d,]+(?:\.\d+)?%",
    "D": r"[A-Z][a-z]+ \d{1,2}, \d{4}",
    "THIS": r"this (?P<kind>stock|fund|bond)",
    "HELD": r"(?P<held>.+), which you (?P<still>hold|used to hold)",
    "PEERS": (
        r"(?P<n>[\d,]+) (?P<kinds>stocks|funds|bonds) in its (?P<group>category|industry|sector) \((?P<label>.+)\)"
    ),
    "MOST": r"(?:(?P<same>[\d,]+) of your (?P<known>[\d,]+)|all (?P<every>[\d,]+) of your)",
    "PAST": r" Past performance does not predict future returns\.",
}
_ZH: Final = {
    "N": r"[\d,]+",
    "F": r"[−-]?[\d,]+\.\d+",
    "P": r"[−-]?[\d,]+(?:\.\d+)?%",
    "D": r"\d{4}年\d{1,2}月\d{1,2}日",
    "THIS": r"這檔(?P<kind>股票|基金|債券)",
    "HELD": r"您(?P<still>曾?)持有的(?P<held>「.+」)",
    "PEERS": r"同(?P<group>類型|產業|類股)（「(?P<label>.+)」）(?P<n>[\d,]+) 檔(?P<kinds>股票|基金|債券)",
    "PAST": r"過去績效不代表未來報酬。",
}

_PATTERNS_EN: Final = {
    "co_investment": r"At least (?P<n><N>) other investors hold or have held both <HELD>, and <THIS>\.",
    "profile_peers": (
        r"At least (?P<n><N>) other investors (?P<level_kind>(?:with|in) the same [a-z ]+ as you) "
        r"\((?P<level>.+)\) hold <THIS>\."
    ),
    "shared_industry": r"<THIS> is in the (?P<label>.+) industry, as (?:is|are) <HELD>\.",
    "shared_sector": r"<THIS> is in the (?P<label>.+) sector, as (?:is|are) <HELD>\.",
    "shared_category": r"<THIS> is in the (?P<label>.+) category, as (?:is|are) <HELD>\.",
    "shared_issuer": r"<THIS> is issued by (?P<label>.+), as (?:is|are) <HELD>\.",
    "shared_market": r"<THIS> is listed on (?P<label>.+), as (?:is|are) <HELD>\.",
    "shared_class": r"<THIS> is in the same asset class \((?P<label>.+)\) as <HELD>\.",
    "shared_country": r"<THIS> is in the same country \((?P<label>.+)\) as <HELD>\.",
    "shared_theme": r"<THIS> belongs to the theme (?P<label>.+), as (?:does|do) <HELD>\.",
    "look_through": (
        r"<HELD>, invests (?:(?P<weight><P>) of its assets )?in <THIS>"
        r"(?:, which already puts (?P<part><P>) of your portfolio into it)?\."
    ),
    "held_by_this_fund": r"<THIS> invests (?:(?P<weight><P>) of its assets )?in <HELD>\.",
    "overlap": r"Both <THIS> and <HELD>, have (?P<common>.+) among their holdings\.",
    "competitor": r"The company behind <THIS> competes with <HELD>\.",
    "customer": r"<HELD>, supplies the company behind <THIS>\.",
    "supplier": r"The company behind <THIS> supplies <HELD>\.",
    "learned": (
        r"A model trained on the graph's links \((?P<channel>[^()]+)\) places <THIS> close to <HELD>; "
        r"the likeness is learned, not a stated fact\."
    ),
    "performance": (
        r"Over the year to (?P<day><D>), <THIS> returned (?P<value><P>) and ranked (?P<rank><N>) of <PEERS>, "
        r"among the top (?P<top><P>)\.<PAST>"
    ),
    "valuation": (
        r"On (?P<day><D>), <THIS> had a price-earnings ratio of (?P<value><F>), "
        r"below the median of (?P<median><F>) among <PEERS>\."
    ),
    "income": (
        r"On (?P<day><D>), <THIS> had a dividend yield of (?P<value><P>), "
        r"above the median of (?P<median><P>) among <PEERS>\."
    ),
    "income_sought": (
        r"On (?P<day><D>), <THIS> had a dividend yield of (?P<value><P>); your objective is (?P<level>.+)\."
    ),
    "risk_fits": r"The risk rating of <THIS> \((?P<rating>.+)\) is within your risk level \((?P<level>.+)\)\.",
    "newly_listed": (
        r"<THIS> came to market on (?P<day><D>), (?P<age><N>) days? before the date of this recommendation\."
    ),
    "widely_held": r"(?P<n><N>) other investors hold <THIS>\.",
    "early_buyers": (
        r"Like you, (?P<n><N>) other investors who hold <THIS> have bought another asset within (?P<days><N>) days "
        r"of its listing\."
    ),
    "spread_sector": (
        r"<THIS> would add the (?P<label>.+) sector to your portfolio: "
        r"none of your (?P<known><N>) holdings whose sector is known is in it\."
    ),
    "spread_category": (
        r"<THIS> would add the (?P<label>.+) category to your portfolio: "
        r"none of your (?P<known><N>) holdings whose category is known is in it\."
    ),
    "analysts_buy": (
        r"(?P<same><N>) of (?P<n><N>) analyst firms that rated <THIS> in the past year, most recently on "
        r"(?P<day><D>), advised buying it or expected it to outperform\."
    ),
    "analysts_sell": (
        r"Caution: (?P<same><N>) of (?P<n><N>) analyst firms that rated <THIS> in the past year, most recently on "
        r"(?P<day><D>), advised selling it or expected it to underperform\."
    ),
    "loss": r"Caution: over the year to (?P<day><D>), <THIS> lost (?P<value><P>)\.<PAST>",
    "risk_above": r"Caution: the risk rating of <THIS> \((?P<rating>.+)\) is above your risk level \((?P<level>.+)\)\.",
    "costs": (
        r"Caution: on (?P<day><D>), <THIS> had an expense ratio of (?P<value><P>), "
        r"above the median of (?P<median><P>) among <PEERS>\."
    ),
    "concentration_sector": (
        r"Caution: <MOST> holdings whose sector is known are already in the (?P<label>.+) sector, that of <THIS>\."
    ),
    "concentration_category": (
        r"Caution: <MOST> holdings whose category is known are already in the (?P<label>.+) category, that of <THIS>\."
    ),
}

_PATTERNS_ZH: Final = {
    "co_investment": r"<HELD>與<THIS>，至少另有 (?P<n><N>) 位投資人都持有或曾持有。",
    "profile_peers": r"至少另有 (?P<n><N>) 位與您(?P<level_kind>[^（]+)相同（「(?P<level>.+)」）的投資人持有<THIS>。",
    "shared_industry": r"<THIS>與<HELD>同屬「(?P<label>.+)」產業。",
    "shared_sector": r"<THIS>與<HELD>同屬「(?P<label>.+)」類股。",
    "shared_category": r"<THIS>與<HELD>同屬「(?P<label>.+)」類型。",
    "shared_issuer": r"<THIS>與<HELD>皆由「(?P<label>.+)」發行。",
    "shared_market": r"<THIS>與<HELD>同在「(?P<label>.+)」掛牌。",
    "shared_class": r"<THIS>與<HELD>屬於同一資產類別（「(?P<label>.+)」）。",
    "shared_country": r"<THIS>與<HELD>同屬一國（「(?P<label>.+)」）。",
    "shared_theme": r"<THIS>與<HELD>同屬「(?P<label>.+)」題材。",
    "look_through": (
        r"<HELD>(?:投資於|將 (?P<weight><P>) 的資產投資於)<THIS>(?:，相當於您投資組合的 (?P<part><P>))?。"
    ),
    "held_by_this_fund": r"<THIS>(?:投資於|將 (?P<weight><P>) 的資產投資於)<HELD>。",
    "overlap": r"<THIS>與<HELD>都投資於(?P<common>「.+」)。",
    "competitor": r"<THIS>的公司與<HELD>在業務上互相競爭。",
    "customer": r"<HELD>供貨給<THIS>的公司。",
    "supplier": r"<THIS>的公司供貨給<HELD>。",
    "learned": (
        r"以圖譜關聯訓練的模型（(?P<channel>[^（）]+)）判斷，<THIS>與<HELD>相近；"
        r"這是模型學得的相似性，並非資料載明的事實。"
    ),
    "performance": (
        r"截至(?P<day><D>)的一年間，<THIS>的報酬率為 (?P<value><P>)，在<PEERS>中排名第 (?P<rank><N>)，"
        r"居前 (?P<top><P>)。<PAST>"
    ),
    "valuation": r"(?P<day><D>)，<THIS>的本益比為 (?P<value><F>) 倍，低於<PEERS>的中位數 (?P<median><F>) 倍。",
    "income": r"(?P<day><D>)，<THIS>的殖利率為 (?P<value><P>)，高於<PEERS>的中位數 (?P<median><P>)。",
    "income_sought": r"(?P<day><D>)，<THIS>的殖利率為 (?P<value><P>)；您的投資目標是「(?P<level>.+)」。",
    "risk_fits": r"<THIS>的風險等級（「(?P<rating>.+)」）在您的風險屬性（「(?P<level>.+)」）可承受的範圍內。",
    "newly_listed": r"<THIS>於(?P<day><D>)掛牌，即本次推薦資料日前 (?P<age><N>) 天。",
    "widely_held": r"另有 (?P<n><N>) 位投資人持有<THIS>。",
    "early_buyers": r"另有 (?P<n><N>) 位持有<THIS>的投資人和您一樣，曾在其他資產掛牌後 (?P<days><N>) 天內買進。",
    "spread_sector": (
        r"<THIS>可為您的投資組合增添「(?P<label>.+)」類股：您持有的資產中，類股已知的 (?P<known><N>) 檔都不屬於該類股。"
    ),
    "spread_category": (
        r"<THIS>可為您的投資組合增添「(?P<label>.+)」類型：您持有的資產中，類型已知的 (?P<known><N>) 檔都不屬於該類型。"
    ),
    "analysts_buy": (
        r"過去一年為<THIS>評等的 (?P<n><N>) 家研究機構中，有 (?P<same><N>) 家建議買進或看好其表現優於大盤，"
        r"最近一次評等在(?P<day><D>)。"
    ),
    "analysts_sell": (
        r"請留意：過去一年為<THIS>評等的 (?P<n><N>) 家研究機構中，有 (?P<same><N>) 家建議賣出或預期其表現落後大盤，"
        r"最近一次評等在(?P<day><D>)。"
    ),
    "loss": r"請留意：截至(?P<day><D>)的一年間，<THIS>下跌 (?P<value><P>)。<PAST>",
    "risk_above": r"請留意：<THIS>的風險等級（「(?P<rating>.+)」）高於您的風險屬性（「(?P<level>.+)」）可承受的範圍。",
    "costs": r"請留意：(?P<day><D>)，<THIS>的費用率為 (?P<value><P>)，高於<PEERS>的中位數 (?P<median><P>)。",
    "concentration_sector": (
        r"請留意：您持有的資產中，類股已知的 (?P<known><N>) 檔裡，"
        r"已有 (?P<same><N>) 檔與<THIS>同屬「(?P<label>.+)」類股。"
    ),
    "concentration_category": (
        r"請留意：您持有的資產中，類型已知的 (?P<known><N>) 檔裡，"
        r"已有 (?P<same><N>) 檔與<THIS>同屬「(?P<label>.+)」類型。"
    ),
}


def _compiled(patterns: dict[str, str], parts: dict[str, str]) -> MappingProxyType[str, re.Pattern[str]]:
    out = {}
    for name, pattern in patterns.items():
        text = pattern
        for part, meaning in parts.items():
            text = text.replace(f"<{part}>", meaning)
        # A sentence may begin with "this stock" as well as contain it.
        out[name] = re.compile(re.sub(r"^this ", "[Tt]his ", text), re.DOTALL)
    return MappingProxyType(out)


PATTERNS: Final = MappingProxyType({"en": _compiled(_PATTERNS_EN, _EN), "zh-TW": _compiled(_PATTERNS_ZH, _ZH)})
"""Language to trigger to the pattern of its sentence."""

WORDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("stock", "stocks", "股票"), "Stock"),
        **dict.fromkeys(("fund", "funds", "基金"), "Fund"),
        **dict.fromkeys(("bond", "bonds", "債券"), "Bond"),
        **dict.fromkeys(("category", "類型"), "IN_CATEGORY"),
        **dict.fromkeys(("industry", "產業"), "IN_INDUSTRY"),
        **dict.fromkeys(("sector", "類股"), "IN_SECTOR"),
        **dict.fromkeys(("with the same risk level as you", "風險屬性"), "HAS_RISK"),
        **dict.fromkeys(("with the same objective as you", "投資目標"), "SEEKS"),
        **dict.fromkeys(("with the same investment capacity as you", "投資能力"), "HAS_CAPACITY"),
        **dict.fromkeys(("with the same investment experience as you", "投資經驗"), "HAS_EXPERIENCE"),
        **dict.fromkeys(("in the same client segment as you", "客群"), "IN_SEGMENT"),
        **dict.fromkeys(("hold", ""), "HOLDS"),
        **dict.fromkeys(("used to hold", "曾"), "HELD"),
        **dict.fromkeys(("Knowledge-graph embedding", "知識圖譜嵌入"), "kg_embedding"),
        **dict.fromkeys(("Graph attention", "圖注意力"), "gat"),
    }
)
"""What a word of a sentence stands for in the graph or among the channels."""
