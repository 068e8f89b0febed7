"""The card as one HTML page: the report's figures and their pictures put into the template. It measures nothing.

Everything that comes from data is escaped by the template engine; only the pictures, escaped already, are put in as
they are. The same study gives the same bytes.
"""

from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from training.card import tables, wording
from training.card.plots import calibration, importance, plane, ranking, residuals, search, target
from training.card.report import Report, Study
from training.evidence import Evidence

FILTERS = ("number", "count", "fixed", "share", "size", "duration", "plain", "metric", "date")


def render(study: Study, evidence: Evidence) -> bytes:
    """`report.html` in UTF-8: one file that asks nothing of a network."""
    report = study.report
    text = _template().render(
        report=report,
        tables=tables,
        decimals=wording.decimals,
        plots=_plots(study, evidence),
        style=Markup(resources.files(__package__).joinpath("templates/card.css").read_text("utf-8")),  # noqa: S704 # our own file
        headline=tables.headline(report),
    )
    return text.encode("utf-8", "replace")


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__package__ or ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(wording, name) for name in FILTERS})
    return environment.get_template("card.html")


def _plots(study: Study, evidence: Evidence) -> dict[str, Markup | None]:
    report: Report = study.report
    ranked = tables.candidates(report.cross_validation)
    return {
        "target": target.plot(report.target),
        "search": search.plot(report.cross_validation, ranked),
        "roc": ranking.roc(report.ranking),
        "precision_recall": ranking.precision_recall(report.ranking),
        "reliability": calibration.reliability(report.calibration),
        "certainty": calibration.histogram(report.calibration),
        "truth": residuals.truth(evidence),
        "residuals": residuals.left(evidence),
        "importance": importance.plot(report.importance),
        "plane": plane.plot(report.plane, study.points, evidence.signature.classes),
    }
