"""The sentences of reasons as patterns, written down apart from the templates that write them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

_EN: Final = {
    "N": r"[\d,]+",
    "F": r"-?[\d,]+\.\d+",
    "P": r"-?[\d,]+(?:\.\d+)?%",
    "D": r"[A-Z][a-z]+ \d{1,2}, \d{4}",
    "THIS": r"this (?P<kind>stock|fund|bond)",
    "HELD": r"(?P<held>.+), which you (?P<still>hold|used to hold)",
    "PEERS": (
        r"(?P<n>[\d,]+) (?P<kinds>stocks|funds|bonds) in its (?P<group>category|industry|sector) \((?P<label>.+)\)"
    ),
    "PAST": r" Past performance does not predict future returns\.",
}
_ZH: Final = {
    "N": r"[\d,]+",
    "F": r"-?[\d,]+\.\d+",
    "P": r"-?[\d,]+(?:\.\d+)?%",
    "D": r"\d{4}年\d{1,2}月\d{1,2}日",
    "THIS": r"這檔(?P<kind>股票|基金|債券)",
    "HELD": r"您(?P<still>曾?)持有的(?P<held>「.+」)",
    "PEERS": r"同(?P<group>類型|產業|類股)（「(?P<label>.+)」）的 (?P<n>[\d,]+) 檔(?P<kinds>股票|基金|債券)",
    "PAST": r"過去績效不代表未來報酬。",
}

_PATTERNS_EN: Final = {
    "co_investment": r"(?P<n><N>) other investors hold(?P<ever> or have held)? both <HELD>, and <THIS>\.",
    "profile_peers": (
        r"(?P<n><N>) other investors with the same (?P<level_kind>[a-z ]+) as you \((?P<level>.+)\) hold <THIS>\."
    ),
    "shared_industry": r"<THIS> is in the (?P<label>.+) industry, as (?:is|are) <HELD>\.",
    "shared_sector": r"<THIS> is in the (?P<label>.+) sector, as (?:is|are) <HELD>\.",
    "shared_category": r"<THIS> is in the category (?P<label>.+), as (?:is|are) <HELD>\.",
    "shared_issuer": r"<THIS> is issued by (?P<label>.+), as (?:is|are) <HELD>\.",
    "shared_market": r"<THIS> is listed on (?P<label>.+), as (?:is|are) <HELD>\.",
    "shared_theme": r"<THIS> belongs to the theme (?P<label>.+), as (?:does|do) <HELD>\.",
    "look_through": (
        r"<HELD>, invests (?:(?P<weight><P>) of its assets )?in <THIS>"
        r"(?:, which makes it (?P<part><P>) of your portfolio already)?\."
    ),
    "held_by_this_fund": r"<THIS> invests (?:(?P<weight><P>) of its assets )?in <HELD>\.",
    "overlap": r"<THIS> and <HELD>, both invest in (?P<common>.+)\.",
    "competitor": r"The company behind <THIS> competes with <HELD>\.",
    "customer": r"<HELD>, supplies the company behind <THIS>\.",
    "supplier": r"The company behind <THIS> supplies <HELD>\.",
    "learned": (
        r"A model trained on the links of the graph \((?P<channel>[^()]+)\) finds <THIS> close to <HELD>; "
        r"this likeness is learned, not a stated fact\."
    ),
    "performance": (
        r"Over the year to (?P<day><D>), <THIS> returned (?P<value><P>), rank (?P<rank><N>) of <PEERS> "
        r"and among the top (?P<top><P>)\.<PAST>"
    ),
    "valuation": (
        r"The price-earnings ratio of <THIS> was (?P<value><F>) on (?P<day><D>), below (?P<median><F>), "
        r"the median of <PEERS>\."
    ),
    "income": (
        r"The dividend yield of <THIS> was (?P<value><P>) on (?P<day><D>), above (?P<median><P>), "
        r"the median of <PEERS>\."
    ),
    "income_sought": (
        r"The dividend yield of <THIS> was (?P<value><P>) on (?P<day><D>); your objective is (?P<level>.+)\."
    ),
    "risk_fits": r"The risk rating of <THIS> \((?P<rating>.+)\) is within your risk level \((?P<level>.+)\)\.",
    "newly_listed": (
        r"<THIS> came to market on (?P<day><D>), (?P<age><N>) days? before the date of this recommendation\."
    ),
    "spread_sector": r"None of your (?P<known><N>) holdings of known sector is in (?P<label>.+), as <THIS> is\.",
    "spread_category": r"None of your (?P<known><N>) holdings of known category is in (?P<label>.+), as <THIS> is\.",
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
        r"Caution: the expense ratio of <THIS> was (?P<value><P>) on (?P<day><D>), above (?P<median><P>), "
        r"the median of <PEERS>\."
    ),
    "concentration_sector": (
        r"Caution: (?P<same><N>) of your (?P<known><N>) holdings of known sector are in (?P<label>.+) already, "
        r"as <THIS> is\."
    ),
    "concentration_category": (
        r"Caution: (?P<same><N>) of your (?P<known><N>) holdings of known category are in (?P<label>.+) already, "
        r"as <THIS> is\."
    ),
}

_PATTERNS_ZH: Final = {
    "co_investment": r"另有 (?P<n><N>) 位投資人(?:同時持有|(?P<ever>持有或曾持有))<HELD>與<THIS>。",
    "profile_peers": r"另有 (?P<n><N>) 位與您(?P<level_kind>[^（]+)相同（「(?P<level>.+)」）的投資人持有<THIS>。",
    "shared_industry": r"<THIS>與<HELD>同屬「(?P<label>.+)」產業。",
    "shared_sector": r"<THIS>與<HELD>同屬「(?P<label>.+)」類股。",
    "shared_category": r"<THIS>與<HELD>同屬「(?P<label>.+)」類型。",
    "shared_issuer": r"<THIS>與<HELD>皆由「(?P<label>.+)」發行。",
    "shared_market": r"<THIS>與<HELD>同在「(?P<label>.+)」掛牌。",
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
        r"依圖譜關聯訓練的模型（(?P<channel>[^（）]+)）顯示，<THIS>與<HELD>相近；這是模型學到的相似性，並非既有事實。"
    ),
    "performance": (
        r"截至(?P<day><D>)的一年間，<THIS>的報酬率為 (?P<value><P>)，在<PEERS>中排名第 (?P<rank><N>)，"
        r"居前 (?P<top><P>)。<PAST>"
    ),
    "valuation": r"(?P<day><D>)，<THIS>的本益比為 (?P<value><F>) 倍，低於<PEERS>的中位數 (?P<median><F>) 倍。",
    "income": r"(?P<day><D>)，<THIS>的殖利率為 (?P<value><P>)，高於<PEERS>的中位數 (?P<median><P>)。",
    "income_sought": r"(?P<day><D>)，<THIS>的殖利率為 (?P<value><P>)；您的投資目標是「(?P<level>.+)」。",
    "risk_fits": r"<THIS>的風險等級（「(?P<rating>.+)」）在您的風險屬性（「(?P<level>.+)」）適合的範圍內。",
    "newly_listed": r"<THIS>於(?P<day><D>)掛牌，距本次推薦的資料日 (?P<age><N>) 天。",
    "spread_sector": (
        r"您持有的資產中，類股已知者共 (?P<known><N>) 檔，沒有一檔屬於「(?P<label>.+)」類股，<THIS>則屬於該類股。"
    ),
    "spread_category": (
        r"您持有的資產中，類型已知者共 (?P<known><N>) 檔，沒有一檔屬於「(?P<label>.+)」類型，<THIS>則屬於該類型。"
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
    "risk_above": r"請留意：<THIS>的風險等級（「(?P<rating>.+)」）高於您的風險屬性（「(?P<level>.+)」）適合的範圍。",
    "costs": r"請留意：(?P<day><D>)，<THIS>的費用率為 (?P<value><P>)，高於<PEERS>的中位數 (?P<median><P>)。",
    "concentration_sector": (
        r"請留意：您持有的資產中，類股已知者共 (?P<known><N>) 檔，已有 (?P<same><N>) 檔屬於「(?P<label>.+)」類股，"
        r"與<THIS>相同。"
    ),
    "concentration_category": (
        r"請留意：您持有的資產中，類型已知者共 (?P<known><N>) 檔，已有 (?P<same><N>) 檔屬於「(?P<label>.+)」類型，"
        r"與<THIS>相同。"
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
        **dict.fromkeys(("risk level", "風險屬性"), "HAS_RISK"),
        **dict.fromkeys(("objective", "投資目標"), "SEEKS"),
        **dict.fromkeys(("capacity", "投資能力"), "HAS_CAPACITY"),
        **dict.fromkeys(("experience", "投資經驗"), "HAS_EXPERIENCE"),
        **dict.fromkeys(("segment", "客群"), "IN_SEGMENT"),
        **dict.fromkeys(("hold", ""), "HOLDS"),
        **dict.fromkeys(("used to hold", "曾"), "HELD"),
        **dict.fromkeys(("Knowledge-graph embedding", "知識圖譜嵌入"), "kg_embedding"),
        **dict.fromkeys(("Graph attention", "圖注意力"), "gat"),
    }
)
"""What a word of a sentence stands for in the graph or among the channels."""
