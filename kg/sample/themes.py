"""What the sample market's funds invest in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.kg.sample.bonds import CORPORATE, GOVERNMENT
from pathfolio.kg.sample.names import TAIWAN, US


@dataclass(frozen=True)
class Theme:
    """One investment policy.

    Attributes:
        name, name_local: as in a fund's name, English and Chinese.
        category: the peer group.
        regions: countries of the companies and bonds that it may hold.
        houses: countries whose fund houses offer it.
        equity: the share in stocks; the rest is in bonds.
        sectors: sectors of its stocks; empty for all.
        tilt: which companies it prefers: large, small, dividend, growth, value or calm.
        bonds: which bonds it holds: any, government, corporate or short.
    """

    name: str
    name_local: str
    category: str
    regions: tuple[int, ...]
    houses: tuple[int, ...]
    equity: float = 1.0
    sectors: tuple[str, ...] = ()
    tilt: str = "large"
    bonds: str = "any"


_TW = (TAIWAN,)
_US = (US,)
_BOTH = (TAIWAN, US)
_TECH = ("Information Technology", "Communication Services")
_MONEY = ("Financials",)
_HEALTH = ("Health Care",)
_GREEN = ("Utilities", "Energy")

THEMES: Final = (
    Theme("Taiwan Leaders 50", "台灣領袖50", "Large Cap", _TW, _TW),
    Theme("Taiwan High Dividend", "台灣高股息", "High Dividend", _TW, _TW, tilt="dividend"),
    Theme("Taiwan Technology", "台灣科技", "Technology", _TW, _BOTH, sectors=_TECH),
    Theme("Taiwan Small & Mid Cap", "台灣中小型", "Small & Mid Cap", _TW, _TW, tilt="small"),
    Theme("Taiwan Financials", "台灣金融", "Financials", _TW, _TW, sectors=_MONEY),
    Theme("Taiwan Biotech & Health", "台灣生技醫療", "Health Care", _TW, _TW, sectors=_HEALTH),
    Theme("Taiwan Growth", "台灣成長", "Growth", _TW, _TW, tilt="growth"),
    Theme("Taiwan Low Volatility", "台灣低波動", "Low Volatility", _TW, _TW, tilt="calm"),
    Theme("Taiwan Balanced", "台灣平衡", "Balanced", _TW, _TW, equity=0.55),
    Theme("Taiwan Government Bond", "台灣公債", GOVERNMENT, _TW, _TW, equity=0.0, bonds="government"),
    Theme("Taiwan Money Market", "台灣貨幣市場", "Money Market", _TW, _TW, equity=0.0, bonds="short"),
    Theme("US Large Cap", "美國大型股", "Large Cap", _US, _BOTH),
    Theme("US Technology", "美國科技", "Technology", _US, _BOTH, sectors=_TECH),
    Theme("US Dividend", "美國股息", "High Dividend", _US, _US, tilt="dividend"),
    Theme("US Small Cap", "美國小型股", "Small & Mid Cap", _US, _US, tilt="small"),
    Theme("US Financials", "美國金融", "Financials", _US, _US, sectors=_MONEY),
    Theme("US Health Care", "美國醫療保健", "Health Care", _US, _BOTH, sectors=_HEALTH),
    Theme("US Consumer", "美國消費", "Consumer", _US, _US, sectors=("Consumer Discretionary", "Consumer Staples")),
    Theme("US Real Estate", "美國不動產", "Real Estate", _US, _US, sectors=("Real Estate",)),
    Theme("US Growth", "美國成長", "Growth", _US, _US, tilt="growth"),
    Theme("US Value", "美國價值", "Value", _US, _US, tilt="value"),
    Theme("US Low Volatility", "美國低波動", "Low Volatility", _US, _US, tilt="calm"),
    Theme("US Balanced", "美國平衡", "Balanced", _US, _US, equity=0.6),
    Theme("US Treasury", "美國政府債券", GOVERNMENT, _US, _BOTH, equity=0.0, bonds="government"),
    Theme("US Corporate Bond", "美國公司債", CORPORATE, _US, _BOTH, equity=0.0, bonds="corporate"),
    Theme("US Money Market", "美元貨幣市場", "Money Market", _US, _BOTH, equity=0.0, bonds="short"),
    Theme("Global Technology", "全球科技", "Technology", _BOTH, _BOTH, sectors=_TECH),
    Theme("Global Dividend", "全球高股息", "High Dividend", _BOTH, _BOTH, tilt="dividend"),
    Theme("Global Green Energy", "全球綠色能源", "Energy & Utilities", _BOTH, _BOTH, sectors=_GREEN),
    Theme("Global Balanced", "全球平衡", "Balanced", _BOTH, _BOTH, equity=0.5),
    Theme("Global Corporate Bond", "全球公司債", CORPORATE, _BOTH, _TW, equity=0.0, bonds="corporate"),
)  # fmt: skip
