"""Scores one part of a drop: its output goes into the upload, what cannot go there yet is kept aside."""

from functions.errors import ObjectNotFound, RunEnded
from functions.inference.model import ServedModel
from functions.registry.store import Stat, Store
from functions.registry.uploads import Numbered, Uploads
from functions.scoring.fanout.joining import Done
from functions.scoring.fanout.piecewise import Piecewise
from functions.scoring.fanout.plan import Plan
from functions.scoring.loop import score_part
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.results import Moved, Results


def score_one(
    data: Store, uploads: Uploads, results: Results, plan: Plan, number: int, model: ServedModel, pace: Pace
) -> Done:
    """What became of part `number`, which is not written down yet. The first part has the header before its rows.

    Raises RunEnded where the input or the upload is not what it was planned with, and whatever `score_part` raises.
    """
    scored, paths = results.paths.scored, results.paths.part(plan.digest, number)

    def send(piece: int, body: bytes) -> Numbered:
        try:
            return uploads.put(scored, plan.upload, piece, body)
        except ObjectNotFound:
            raise RunEnded(f"the upload of {scored} was finished or given up meanwhile") from None

    def keep(body: bytes) -> Stat:
        return data.put(paths.opening, body)

    writer = Piecewise(plan.numbers(number), plan.piece, uploads.least, send, keep)
    accepted, rejected = Outlet(lambda: writer), Outlet(lambda: data.writer(paths.rejected))
    part, header = plan.parts[number], plan.header
    try:
        if number == 0:
            accepted.write(header.bom + header.body + header.appended + header.end)
        chunks = results.ranges(plan.input, part.start, part.end)
        tally = score_part(chunks, part.start, header, accepted, rejected, model, plan.options, pace)
        accepted.commit()
        aside = rejected.commit() is not None
    except BaseException as error:
        writer.abort()
        rejected.abort()
        if isinstance(error, Moved):
            raise RunEnded(f"{plan.input.key} was replaced or deleted while it was scored") from None
        raise
    return Done(writer.pieces, writer.opening, aside, tally.counts())
