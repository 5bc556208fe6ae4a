"""`pathfolio signals`: models of returns, volatility and beta, their record, and the facts that they tell."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.web.arguments import add_described, days, iso_date

if TYPE_CHECKING:
    from pathfolio.recommender.signals.card import SignalCard
    from pathfolio.recommender.signals.model import SignalModel
    from pathfolio.recommender.signals.panel import Panel

_DATA = "a market folder with prices, or a Parquet or CSV file of prices: long rows, or a column for each asset"
_OPTION = "an option of a model, as in lightgbm.trees=100; `list` tells which there are"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio signals`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = add_described(actions, "list", "list the models: what they tell, their paper, equation and options")
    listed.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    evaluate = add_described(actions, "evaluate", "measure what came of the models' forecasts, without the future")
    evaluate.add_argument("data", type=Path, metavar="DATA", help=_DATA)
    evaluate.add_argument("--models", default="all", metavar="all|NAME,…", help="default: all that are installed")
    evaluate.add_argument("--from", dest="first", type=iso_date, metavar="DATE", help="default: two thirds through")
    evaluate.add_argument("--to", dest="last", type=iso_date, metavar="DATE", help="default: the last day there is")
    evaluate.add_argument("--horizons", type=_horizons, metavar="DAYS,…", help="trading days (default: 1,5,20)")
    evaluate.add_argument("--split", default="walk-forward", metavar="NAME", help="walk-forward (default) or hv-block")
    evaluate.add_argument("--assets", metavar="ID,…", help="only these assets")
    evaluate.add_argument("--largest", type=days, metavar="N", help="only the N most traded before the first day")
    evaluate.add_argument("--cost", type=float, metavar="FRACTION", help="of a round trip (default: 0.00585)")
    evaluate.add_argument("--budget", type=float, metavar="MONEY", help="to be filled by liquidity (default: 150e6)")
    evaluate.add_argument("--trials", type=days, metavar="N", help="models tried in all, for the deflated Sharpe")
    _add_options(evaluate)
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write there: .json, .csv, .tex or .txt")
    evaluate.add_argument("--checkpoints", type=Path, metavar="FOLDER", help="keep how far networks are; a run goes on")
    evaluate.add_argument("--plots", type=Path, metavar="FOLDER", help="draw correlations, spreads and forecasts there")
    fit = add_described(actions, "fit", "fit one model on all that was over by a day, and write what it foretells")
    fit.add_argument("data", type=Path, metavar="DATA", help=_DATA)
    fit.add_argument("--model", required=True, metavar="NAME", help="one of `list`")
    _add_day(fit)
    fit.add_argument("--horizon", type=days, default=20, metavar="DAYS", help="trading days (default: 20)")
    _add_options(fit)
    fit.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for forecasts.parquet and card.json")
    facts = add_described(actions, "facts", "write volatility and beta as rows of the table facts, with their record")
    facts.add_argument("data", type=Path, metavar="DATA", help=_DATA)
    _add_day(facts)
    facts.add_argument("--signals", default="volatility,beta", metavar="NAME,…", help="default: volatility,beta")
    facts.add_argument("--cards", type=Path, metavar="FOLDER", help="write a card of each signal there, NAME.json")
    facts.add_argument("--out", type=Path, metavar="FILE", help="a .csv or .parquet (default: standard output, as CSV)")


def _add_day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", type=iso_date, required=True, metavar="DATE", help="the day: nothing later is seen")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-P", dest="options", action="append", default=[], metavar="MODEL.OPTION=VALUE", help=_OPTION)


def _horizons(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(days(each) for each in text.split(",")))


def run(args: argparse.Namespace) -> None:
    """Do one of them."""
    {"list": _list, "evaluate": _evaluate, "fit": _fit, "facts": _facts}[args.action](args)


def _list(args: argparse.Namespace) -> None:
    from pathfolio.recommender.signals.model import options_of
    from pathfolio.recommender.signals.registry import SIGNAL_MODELS, is_available

    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "target": str(model.target),
            "about": model.about,
            "paper": model.paper,
            "equation": model.equation,
            "needs": model.needs,
            "installed": is_available(model),
            "options": [{"name": n, "default": d, "about": told} for n, (d, told) in options_of(model).items()],
        }
        for model in SIGNAL_MODELS.values()
    ]
    if args.format == "json":
        sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return
    for row in rows:
        missing = "" if row["installed"] else f" (not installed: {row['needs']})"
        sys.stdout.write(f"{row['name']}: {row['target']}: {row['about']}{missing}\n    {row['paper']}\n")
        sys.stdout.write(f"    {row['equation']}\n")
        for made in row["options"]:
            sys.stdout.write(f"    -P {row['name']}.{made['name']}={made['default']}  {made['about']}\n")


def _evaluate(args: argparse.Namespace) -> None:
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.outfile import check_out
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.signals.evaluate import HORIZONS, SignalTest, evaluated
    from pathfolio.recommender.signals.output import ENDINGS, to_text, written
    from pathfolio.recommender.signals.registry import chosen_models
    from pathfolio.recommender.signals.splits import splitter_of
    from pathfolio.recommender.signals.trading import TradingTerms

    if args.out is not None:
        check_out(args.out, ENDINGS)
    splitter_of(args.split)
    models = chosen_models(args.models, _options(args))
    usual = TradingTerms()
    cost = usual.round_trip if args.cost is None else args.cost
    budget = usual.budget if args.budget is None else args.budget
    if not 0 <= cost < 1 or not budget > 0:
        raise UsageError("--cost is a fraction from 0 to 1 (0.00585 for .585%), --budget is above 0")
    asked = SignalTest(
        first=args.first,
        last=args.last,
        horizons=args.horizons or HORIZONS,
        split=args.split,
        largest=args.largest or 0,
        trials=args.trials or 0,
        terms=TradingTerms(cost, budget),
        checkpoints=args.checkpoints,
    )
    progress = Progress()
    panel = _panel(args, progress)
    if args.assets is not None:
        panel = panel.only(args.assets.split(","))
    records = evaluated(panel, models, asked, progress)
    if args.out is not None:
        args.out.write_text(written(records, args.out), encoding="utf-8")
    if args.plots is not None:
        from pathfolio.recommender.signals.plots import plot_records

        for path in plot_records(records, panel, args.plots):
            progress.note(f"  wrote {path}")
    sys.stdout.write(to_text(records) if args.out is None else f"{args.out}: {len(records)} records\n")


def _fit(args: argparse.Namespace) -> None:
    import pandas as pd

    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.signals.card import card_of
    from pathfolio.recommender.signals.facts import latest, said_source, signal_of
    from pathfolio.recommender.signals.registry import chosen_models

    model: SignalModel = chosen_models(args.model, _options(args))[0]
    progress = Progress()
    panel = _panel(args, progress)
    with progress.stage(f"{model.name}, {args.horizon} days"):
        signal = signal_of(panel, str(model.target), args.as_of, model, args.horizon)
    value, at = latest(signal)
    frame = pd.DataFrame({"asset_id": signal.panel.assets, "date": signal.panel.days[at], "forecast": value})
    frame = frame.dropna(subset=["forecast"]).reset_index(drop=True)
    args.out.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(args.out / "forecasts.parquet", index=False)
    card = card_of(signal, panel.name)
    _write_card(card, args.out / "card.json")
    sys.stdout.write(f"{args.out}: {card.assets} assets; {said_source(signal, panel.name)}\n")


def _write_card(card: SignalCard, path: Path) -> None:
    path.write_text(json.dumps(card.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _facts(args: argparse.Namespace) -> None:
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.outfile import check_out
    from pathfolio.kg.progress import Progress
    from pathfolio.kg.spreadsheet import safe_table
    from pathfolio.recommender.signals.card import card_of
    from pathfolio.recommender.signals.facts import chosen_signals, facts_of, signal_of
    from pathfolio.recommender.signals.into import industries

    names = chosen_signals(args.signals)
    if args.out is not None:
        check_out(args.out, (".csv", ".parquet"))
    progress = Progress()
    panel = _panel(args, progress)
    groups: dict[str, str] = {}
    if args.data.is_dir():
        groups = industries(read_folder(args.data), args.as_of)
    with progress.stage("facts") as details:
        signals = [signal_of(panel, name, args.as_of) for name in names]
        rows = facts_of(signals, groups, f"{panel.name}: prices")
        details.append(f"{len(rows):,} rows")
    if args.cards is not None:
        args.cards.mkdir(parents=True, exist_ok=True)
        for signal in signals:
            _write_card(card_of(signal, panel.name), args.cards / f"{signal.name}.json")
    if args.out is not None and args.out.suffix == ".parquet":
        rows.to_parquet(args.out, index=False)
        return
    text = safe_table(rows).to_csv(index=False, date_format="%Y-%m-%d")
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text, encoding="utf-8")


def _panel(args: argparse.Namespace, progress: Any) -> Panel:
    from pathfolio.recommender.signals.read import read_panel

    with progress.stage("prices") as details:
        panel = read_panel(args.data)
        details.append(f"{len(panel.days):,} days, {len(panel.assets):,} assets")
    return panel


def _options(args: argparse.Namespace) -> dict[str, dict[str, str]]:
    from pathfolio.kg.errors import UsageError

    out: dict[str, dict[str, str]] = {}
    for text in args.options:
        name, sign, value = text.partition("=")
        model, dot, option = name.partition(".")
        if not sign or not dot:
            raise UsageError(f"-P {text}: write it as -P lightgbm.trees=100")
        out.setdefault(model, {})[option] = value
    return out
