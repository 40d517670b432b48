"""The settings of a table: what a project keeps, flat and readable."""

from __future__ import annotations

from models.parameters import Parameter, Values
from playground.data.csv_format import DELIMITERS, CsvOptions
from playground.data.source import Options


def csv_options(options: Options) -> CsvOptions:
    """How the file is read, as far as ``options`` say."""
    return CsvOptions(**{item.id: options[item.id] for item in FORMAT if options.get(item.id)})


def _forecast(values: Values) -> bool:
    return values.get("task") == "forecast"


def _not_forecast(values: Values) -> bool:
    return not _forecast(values)


def _constant(values: Values) -> bool:
    return values.get("missing") == "constant" and _not_forecast(values)


TABLE_FORMAT: tuple[Parameter, ...] = (
    Parameter(
        "delimiter",
        "Delimiter",
        "choice",
        "auto",
        choices=(("auto", "Automatic"), *DELIMITERS.items()),
    ),
    Parameter(
        "encoding",
        "Encoding",
        "choice",
        "auto",
        choices=(
            ("auto", "Automatic"),
            ("utf-8", "UTF-8"),
            ("cp1252", "Windows-1252"),
            ("latin-1", "Latin-1"),
            ("utf-16", "UTF-16"),
        ),
    ),
    Parameter(
        "header",
        "Header",
        "choice",
        "auto",
        choices=(("auto", "Automatic"), ("yes", "First row"), ("no", "None")),
    ),
)
"""How any table's file is read."""

FORMAT: tuple[Parameter, ...] = (
    *TABLE_FORMAT,
    Parameter(
        "decimal",
        "Decimal mark",
        "choice",
        "auto",
        choices=(("auto", "Automatic"), ("point", "Point"), ("comma", "Comma")),
    ),
    Parameter(
        "uneven",
        "Uneven rows",
        "choice",
        "refuse",
        "Rows with more values than the first. Cut drops what is too much; values that are "
        "too few count as missing.",
        choices=(("refuse", "Say which"), ("cut", "Cut"), ("skip", "Leave out")),
    ),
)

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("path", "File", "path", "", "CSV, TSV, Parquet or Arrow."),
    Parameter(
        "task",
        "Task",
        "choice",
        "auto",
        "What to predict. Automatic: a class where the target is text or a few whole numbers, "
        "how the series goes on where there is a number alone or beside dates, otherwise a "
        "number.",
        choices=(
            ("auto", "Automatic"),
            ("classification", "A class"),
            ("regression", "A number"),
            ("forecast", "How a series goes on"),
        ),
    ),
    Parameter(
        "target",
        "Target",
        "text",
        None,
        "The column to predict. Empty: one called label, class or target, otherwise the last.",
        optional=True,
    ),
    Parameter(
        "features",
        "Features",
        "text",
        None,
        "Columns to learn from, divided by commas. Empty: all numbers and categories (for a "
        "forecast: the series alone).",
        optional=True,
    ),
    Parameter("unit", "Unit", "text", None, "The target's unit, for display.", optional=True),
    Parameter(
        "missing",
        "Missing values",
        "choice",
        "fill",
        "What a number that is missing is replaced by; a missing category is none of them.",
        choices=(
            ("fill", "Mean of the training rows"),
            ("median", "Median of the training rows"),
            ("constant", "A number"),
            ("drop", "Leave rows out"),
        ),
        visible=_not_forecast,
    ),
    Parameter(
        "constant",
        "Number for missing",
        "float",
        0.0,
        "Stands where a number is missing.",
        minimum=-1e30,
        maximum=1e30,
        visible=_constant,
    ),
    Parameter(
        "scaling",
        "Scaling",
        "choice",
        "standardize",
        "Fitted on the training rows alone.",
        choices=(
            ("standardize", "Mean 0, deviation 1"),
            ("range", "From 0 to 1"),
            ("none", "As they are"),
        ),
        visible=_not_forecast,
    ),
    Parameter(
        "window",
        "Window",
        "int",
        24,
        "Steps that the network sees.",
        minimum=1,
        maximum=100_000,
        unit="steps",
        visible=_forecast,
    ),
    Parameter(
        "horizon",
        "Horizon",
        "int",
        1,
        "Steps ahead that it forecasts at once.",
        minimum=1,
        maximum=10_000,
        unit="steps",
        visible=_forecast,
    ),
    Parameter(
        "stride",
        "Stride",
        "int",
        1,
        "Steps from one window to the next.",
        minimum=1,
        maximum=100_000,
        unit="steps",
        visible=_forecast,
    ),
    Parameter(
        "time",
        "Time column",
        "text",
        None,
        "Rows are put in its order. Empty: for a forecast the first column of dates, if any.",
        optional=True,
    ),
    Parameter(
        "group",
        "Group column",
        "text",
        None,
        "Rows that belong together: a split by group keeps them in one part, and each group of "
        "a forecast is a series of its own.",
        optional=True,
    ),
    Parameter(
        "types",
        "Types",
        "text",
        None,
        "What columns hold, where the guess is wrong: zip=category, born=date. One of number, "
        "category, date, text.",
        optional=True,
    ),
    Parameter(
        "fillings",
        "Missing values of single columns",
        "text",
        None,
        "Where one column differs: age=median, height=0, name=drop.",
        optional=True,
        visible=_not_forecast,
    ),
    Parameter(
        "scalings",
        "Scaling of single columns",
        "text",
        None,
        "Where one column differs: age=range, ratio=none.",
        optional=True,
        visible=_not_forecast,
    ),
    Parameter(
        "season",
        "Season",
        "int",
        None,
        "Steps after which the series repeats itself, for the forecast to compare with. Empty: "
        "a year of months, a week of days, a day of hours.",
        minimum=1,
        maximum=100_000,
        optional=True,
        unit="steps",
        visible=_forecast,
    ),
    Parameter(
        "logarithm",
        "Logarithm",
        "bool",
        False,
        "For a positive series that grows by a share: its growth and its seasons become even.",
        visible=_forecast,
    ),
    *FORMAT,
)
