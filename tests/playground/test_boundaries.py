"""What must not be needed: torch for editing, Qt for the core."""

import subprocess
import sys

import pytest

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")
sys.meta_path.insert(0, Blocked())
"""

EDITING = """
from pathlib import Path
from dataclasses import replace
from models import edits
from models.shapes import infer
from playground import project as projects
project = projects.open_example("digits-cnn")
graph, id = edits.splice(project.graph, "relu", project.graph.edges[0])
assert infer(graph).ok
path = Path(sys.argv[1]) / "mine.playground"
projects.save(replace(project, graph=graph), path)
assert projects.load(path).graph == graph
"""

TRAINING = """
from pathlib import Path
from dataclasses import replace
from playground import project as projects
from playground.data import open_data
from playground.runs import new_run
from playground.training.trainer import Trainer
project = projects.open_example("gunpoint-cnn")
project = replace(project, training=project.training.replace(epochs=1))
dataset = open_data(project.data, Path(sys.argv[1]))
trainer = Trainer(project, dataset, new_run(Path(sys.argv[1])))
assert sum(1 for _ in trainer.steps()) > 0
"""


@pytest.mark.parametrize(
    ("blocked", "script"),
    [
        ({"torch", "torchvision", "cv2", "PySide6", "pyqtgraph"}, EDITING),
        ({"PySide6", "pyqtgraph"}, TRAINING),
    ],
    ids=["editing without torch", "training without Qt"],
)
def test_works_without(blocked, script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BLOCK.format(blocked=blocked) + script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
