"""Projects whose versions were released, so that rows can be scored."""

from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.state import LoopState
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.gateway.models.versions import read_manifest

CONTRACT = """\
model: {name: m, task: %s}
data: {source: t.csv, target: target, key: id}
"""


def release(project, bundles, weights=None, *, log="off", **changes):
    """Release bundles in a folder: versions by number, with the whole of the traffic to the first.

    Args:
        project: Folder of the project; its store lies in `.setpoint`.
        bundles: Folder of each version's bundle.
        weights: Share of traffic by version.
        log: What becomes of the answers.
        changes: Further fields of the deployment document.
    """
    store = project / ".setpoint"
    first = min(bundles)
    about = {number: read_manifest(folder) for number, folder in bundles.items()}
    artifacts = {number: BundleStore(store).keep(folder) for number, folder in bundles.items()}
    versions = {
        str(number): ModelVersion(
            version=number,
            attempt=f"a-{number}",
            artifact=artifacts[number],
            behaviour="b",
            runtime=about[number].runtime,
            lineage=Lineage(snapshot="s", contract="c"),
            seen=Seen(by="hash", table="t"),
            label_shares={},
        )
        for number in bundles
    }
    document = Deployment(
        model="m",
        generation=3,
        contract="c",
        prepare=tuple(
            Deployed(version=number, bundle=artifacts[number], artifact=artifacts[number])
            for number in bundles
        ),
        weights=weights or {str(first): 1.0},
        champion=first,
        sticky="id",
        salt="s",
        log=log,
        **changes,
    )
    state = LoopState(
        model="m", champion=first, versions=versions, deployment=document, generation=3
    )
    SqlJournal(store / "state.db", "m").commit(0, state, ())
    (project / "model_contract.yaml").write_text(CONTRACT % _task(bundles[first]))


def _task(folder):
    text = (folder / "request.json").read_text()
    return next(task for task in ("binary", "multiclass", "regression") if f'"{task}"' in text)
