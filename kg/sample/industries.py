"""The industries of the sample market: how they trade and what their companies are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Industry:
    """One industry.

    Attributes:
        name, sector: GICS-like labels.
        taiwan, us: relative number of companies in each country.
        beta: exposure to the country's market.
        volatility: own standard deviation of a typical company, per year, as a fraction.
        pe, roe, payout: typical price/earnings ratio, return on equity and share of earnings paid out.
        endings: what a company's name ends in, (English, Chinese).
        us_endings: the same for companies of the United States where they differ.
    """

    name: str
    sector: str
    taiwan: float
    us: float
    beta: float
    volatility: float
    pe: float
    roe: float
    payout: float
    endings: tuple[tuple[str, str], ...]
    us_endings: tuple[tuple[str, str], ...] = ()


IT: Final = "Information Technology"

INDUSTRIES: Final = (
    Industry("Semiconductors", IT, 5, 2.5, 1.30, 0.34, 22, 0.20, 0.40,
             (("Semiconductor", "半導體"), ("Microelectronics", "微電子"))),
    Industry("Electronic Components", IT, 5, 1, 1.15, 0.30, 16, 0.14, 0.55,
             (("Electronics", "電子"), ("Precision", "精密"), ("Optoelectronics", "光電"))),
    Industry("Computer Hardware", IT, 4, 1.5, 1.15, 0.28, 15, 0.15, 0.60,
             (("Computer", "電腦"), ("Systems", "系統科技"))),
    Industry("Software", IT, 1, 4, 1.20, 0.33, 32, 0.18, 0.15,
             (("Software", "軟體"), ("Digital", "數位科技"))),
    Industry("Communication Equipment", IT, 2, 1, 1.10, 0.28, 18, 0.13, 0.50,
             (("Networks", "網通"), ("Communications", "通訊"))),
    Industry("Telecom Services", "Communication Services", 1, 1, 0.60, 0.16, 18, 0.12, 0.80,
             (("Telecom", "電信"), ("Mobile", "行動通信"))),
    Industry("Media & Entertainment", "Communication Services", 1, 2, 1.10, 0.32, 24, 0.14, 0.20,
             (("Media", "媒體"), ("Entertainment", "娛樂"))),
    Industry("Banks", "Financials", 3, 3, 0.90, 0.17, 12, 0.11, 0.55,
             (("Financial Holding", "金控"), ("Bank", "銀行")), (("Bancorp", "銀行"), ("Financial", "金融"))),
    Industry("Insurance", "Financials", 1, 2, 0.85, 0.19, 11, 0.12, 0.45,
             (("Insurance", "保險"), ("Life", "人壽"))),
    Industry("Capital Markets", "Financials", 1, 2, 1.25, 0.25, 15, 0.15, 0.45,
             (("Securities", "證券"), ("Capital", "資本"))),
    Industry("Biotechnology", "Health Care", 2, 3, 0.95, 0.50, 40, 0.06, 0.05,
             (("Biotech", "生技"), ("Biosciences", "生物科技"))),
    Industry("Pharmaceuticals", "Health Care", 1, 2.5, 0.65, 0.24, 18, 0.17, 0.45,
             (("Pharmaceutical", "製藥"), ("Pharma", "藥業"))),
    Industry("Medical Devices", "Health Care", 1, 2, 0.80, 0.24, 24, 0.15, 0.30,
             (("Medical", "醫材"), ("Medical Devices", "醫療器材"))),
    Industry("Automobiles & Parts", "Consumer Discretionary", 2, 1.5, 1.15, 0.30, 13, 0.12, 0.50,
             (("Automotive", "汽車"), ("Auto Parts", "車用零件"))),
    Industry("Specialty Retail", "Consumer Discretionary", 1, 3, 0.95, 0.27, 20, 0.18, 0.45,
             (("Retail", "零售"), ("Department Stores", "百貨"))),
    Industry("Hotels & Leisure", "Consumer Discretionary", 1, 2, 1.05, 0.28, 22, 0.12, 0.45,
             (("Hotels", "飯店"), ("Leisure", "觀光"))),
    Industry("Textiles & Apparel", "Consumer Discretionary", 2, 1, 0.85, 0.26, 15, 0.12, 0.60,
             (("Textile", "紡織"), ("Apparel", "服飾"))),
    Industry("Food Products", "Consumer Staples", 2, 2, 0.50, 0.16, 18, 0.13, 0.65,
             (("Foods", "食品"), ("Food Industries", "食品工業"))),
    Industry("Beverages", "Consumer Staples", 0.6, 1.4, 0.50, 0.16, 20, 0.18, 0.65,
             (("Beverages", "飲料"), ("Brewing", "釀造"))),
    Industry("Household Products", "Consumer Staples", 0.7, 1.3, 0.50, 0.17, 20, 0.18, 0.60,
             (("Home Products", "家居用品"), ("Consumer Products", "生活用品"))),
    Industry("Machinery", "Industrials", 3, 2, 1.10, 0.26, 16, 0.13, 0.50,
             (("Machinery", "機械"), ("Automation", "自動化"))),
    Industry("Aerospace & Defense", "Industrials", 0.6, 2, 0.90, 0.24, 20, 0.14, 0.35,
             (("Aerospace", "航太"), ("Aviation Systems", "航空系統"))),
    Industry("Marine Shipping", "Industrials", 1.4, 0.6, 1.20, 0.40, 8, 0.14, 0.50,
             (("Marine", "海運"), ("Shipping", "航運"))),
    Industry("Construction & Engineering", "Industrials", 1.5, 1, 1.00, 0.24, 12, 0.12, 0.60,
             (("Engineering", "工程"), ("Construction", "營造"))),
    Industry("Chemicals", "Materials", 2, 2, 1.00, 0.25, 15, 0.11, 0.55,
             (("Chemical", "化工"), ("Advanced Materials", "新材料"))),
    Industry("Steel", "Materials", 1.5, 0.8, 1.10, 0.27, 11, 0.09, 0.55,
             (("Steel", "鋼鐵"), ("Metals", "金屬"))),
    Industry("Construction Materials", "Materials", 1, 0.8, 0.85, 0.20, 13, 0.09, 0.60,
             (("Cement", "水泥"), ("Building Materials", "建材"))),
    Industry("Oil & Gas", "Energy", 0.6, 2.4, 0.95, 0.27, 11, 0.14, 0.50,
             (("Energy", "能源"), ("Petroleum", "石油"))),
    Industry("Renewable Energy", "Utilities", 1.5, 1.2, 1.15, 0.38, 28, 0.09, 0.25,
             (("Green Power", "綠能"), ("Solar", "太陽能"))),
    Industry("Electric Utilities", "Utilities", 0.6, 2, 0.45, 0.14, 17, 0.10, 0.70,
             (("Power", "電力"), ("Electric Energy", "電能"))),
    Industry("Real Estate Development", "Real Estate", 2, 0.6, 0.95, 0.25, 11, 0.12, 0.65,
             (("Development", "建設"), ("Land", "開發"))),
    Industry("REITs", "Real Estate", 0.4, 2.2, 0.75, 0.18, 22, 0.08, 0.85,
             (("Properties Trust", "不動產信託"), ("Realty Trust", "地產信託"))),
)  # fmt: skip
"""The order is part of the market: it decides which random numbers go where."""
