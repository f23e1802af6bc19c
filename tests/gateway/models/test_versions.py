"""Tests of loading: altered, foreign, unsafe or broken bundles never become a version."""

import json
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from onnx import TensorProto, helper

from setpoint.errors import BundleError
from setpoint.facts.deployment import Deployed
from setpoint.gateway.models.versions import load_version


class Bomb:
    """Raises if anybody unpickles it."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was loaded",))


def load(project, deployed, native=None):
    with ThreadPoolExecutor(1) as executor:
        return load_version(deployed, project.folder, native, executor)


def test_sound_bundle_answers(project):
    version = load(project, project.add(1))
    scores = version.batcher.runner.run([(3, 70.5, True, "monthly", "north")])
    assert scores.probability.shape == (1, 2)
    assert version.schema.classes == ("No", "Yes")


@pytest.mark.parametrize("name", ["model.onnx", "request.json", "profile.json"])
def test_altered_file_is_refused(project, name):
    deployed = project.add(1)
    path = project.folder / deployed.bundle / name
    path.write_bytes(path.read_bytes() + b" ")
    reason = f"{name} does not have the digest of the deployment document: the bundle was altered"
    with pytest.raises(BundleError, match=f"^{re.escape(reason)}$"):
        load(project, deployed)


def test_bundle_of_another_model_is_refused(project):
    deployed = Deployed(version=1, bundle=project.add(1).bundle, artifact="0" * 64)
    with pytest.raises(BundleError, match="the bundle was altered, or is another one"):
        load(project, deployed)


def test_added_or_removed_file_is_refused(project):
    deployed = project.add(1)
    folder = project.folder / deployed.bundle
    (folder / "extra").write_text("x")
    with pytest.raises(BundleError, match=r"^extra was added: the bundle was altered"):
        load(project, deployed)
    (folder / "extra").unlink()
    load(project, deployed)
    (folder / "profile.json").unlink()
    with pytest.raises(BundleError, match=r"^profile\.json is missing: the bundle was altered"):
        load(project, deployed)
    (folder / "manifest.json").unlink()
    with pytest.raises(BundleError, match="its 2 files have artifact digest"):
        load(project, deployed)


def test_manifest_cannot_vouch_for_other_files(project):
    deployed = project.add(1)
    folder = project.folder / deployed.bundle
    (folder / "model.onnx").write_bytes(b"other")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files": {}}))
    with pytest.raises(BundleError, match="altered"):
        load(project, deployed)


def test_missing_folder_is_refused(project):
    deployed = Deployed(version=1, bundle="nowhere", artifact="0" * 64)
    with pytest.raises(BundleError, match="the folder is not there"):
        load(project, deployed)


def test_pickle_is_never_loaded_where_the_document_says_onnx(project):
    native = project.add(1, pickle.dumps(Bomb()), runtime="native")
    deployed = Deployed(version=1, bundle=native.bundle, artifact=native.artifact, runtime="onnx")
    with pytest.raises(BundleError, match=r"has no model\.onnx"):
        load(project, deployed, lambda *_: pytest.fail("called"))


def test_altered_pickle_is_never_loaded(project):
    deployed = project.add(1, pickle.dumps([1]), runtime="native")
    (project.folder / deployed.bundle / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(BundleError, match="altered"):
        load(project, deployed, lambda *_: pytest.fail("called"))


def test_pickle_is_refused_where_no_loader_is_given(project):
    deployed = project.add(1, pickle.dumps(Bomb()), runtime="native")
    with pytest.raises(BundleError, match="this gateway loads none"):
        load(project, deployed)


def test_unknown_runtime_is_refused(project):
    deployed = project.add(1)
    foreign = Deployed(
        version=1, bundle=deployed.bundle, artifact=deployed.artifact, runtime="torch"
    )
    with pytest.raises(BundleError, match="runtime 'torch' is not one of"):
        load(project, foreign)


def test_model_that_is_no_onnx_is_refused(project):
    with pytest.raises(BundleError, match=r"model\.onnx cannot be loaded"):
        load(project, project.add(1, b"not a model"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"columns": []}, "needs one or more columns"),
        ({"columns": [{"name": "x", "kind": "complex"}]}, r"request\.json cannot be read"),
        ({"columns": [{"name": "x", "kind": "float"}]}, "model.onnx has inputs"),
        ({"classes": ["a"]}, "a binary task has two classes"),
        ({"positive": "Maybe"}, "positive class 'Maybe' is not among"),
        ({"task": "multiclass", "classes": ["a", "b", "c"]}, r"shape \(1, 2\)"),
    ],
)
def test_request_document_that_does_not_fit_is_refused(project, request_document, change, reason):
    with pytest.raises(BundleError, match=reason):
        load(project, project.add(1, request=request_document | change))


def test_model_with_one_input_for_each_column_is_refused(project, request_document):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "ab"]
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    both = helper.make_node("Concat", ["a", "b"], ["probabilities"], axis=1)
    graph = helper.make_graph([both], "old", inputs, [output])
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    columns = [{"name": name, "kind": "float"} for name in "ab"]
    with pytest.raises(BundleError, match=r"inputs \['a', 'b'\].*need \['numbers'\].*train"):
        load(project, project.add(1, model, request_document | {"columns": columns}))


def test_kind_that_the_model_takes_otherwise_is_refused(project, request_document):
    columns = [
        column | {"kind": "float"} if column["name"] == "region" else column
        for column in request_document["columns"]
    ]
    with pytest.raises(
        BundleError, match=r"takes numbers as tensor\(double\) of shape .*, 3\], .* 4 columns"
    ):
        load(project, project.add(1, request=request_document | {"columns": columns}))


def test_model_that_fails_its_warm_up_is_not_ready(project):
    class Failing:
        inline = False

        def run(self, _columns):
            raise RuntimeError("no weights")

    deployed = project.add(1, pickle.dumps(1), runtime="native")
    with pytest.raises(BundleError, match="does not answer a plain row: RuntimeError: no weights"):
        load(project, deployed, lambda *_: Failing())
