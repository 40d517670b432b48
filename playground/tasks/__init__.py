"""Tasks: what a network learns to do. Importing them does not import torch."""

from __future__ import annotations

from models.registry import Registry
from playground.tasks.classification import Classification
from playground.tasks.detection import ObjectDetection
from playground.tasks.image import ImageToImage
from playground.tasks.segmentation import Segmentation
from playground.tasks.task import Baseline, Metric, Task, TaskSettings
from playground.tasks.values import Forecast, Regression, seasonal_naive

__all__ = ["TASKS", "Baseline", "Metric", "Task", "TaskSettings", "seasonal_naive"]

TASKS: Registry[Task] = Registry("task")
for _task in (
    Classification(),
    Regression(),
    Forecast(),
    Segmentation(),
    ImageToImage(),
    ObjectDetection(),
):
    TASKS.add(_task)
