"""The training loops that this engine is measured against, each as its users write it.

All train the same network on the same samples in the same batch size, and validate after every
epoch. ``epoch`` runs one; nothing but its time is used.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Epoch = Callable[[], None]
MakeNetwork = Callable[[], nn.Module]


@dataclass(frozen=True, slots=True)
class Samples:
    """A classification task in memory: inputs (N, …) float32 and class indices (N,) int64.

    ``clip`` is the largest norm of the gradients, if there is one.
    """

    x: Tensor
    y: Tensor
    validation_x: Tensor
    validation_y: Tensor
    batch: int
    clip: float | None

    @property
    def batches(self) -> int:
        """Training batches in an epoch; the last one may be smaller."""
        return -(-len(self.x) // self.batch)


def dataloader(network: MakeNetwork, samples: Samples, rate: float) -> Epoch:
    """The loop of PyTorch's tutorials: ``DataLoader``, ``loss.item()`` for the running loss."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    criterion = nn.CrossEntropyLoss()
    train = DataLoader(TensorDataset(samples.x, samples.y), batch_size=samples.batch, shuffle=True)
    validation = DataLoader(
        TensorDataset(samples.validation_x, samples.validation_y), batch_size=samples.batch
    )

    def epoch() -> None:
        model.train()
        loss_sum, correct = 0.0, 0
        for x, y in train:
            optimizer.zero_grad()
            output = model(x)
            loss = criterion(output, y)
            loss.backward()
            if samples.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), samples.clip)
            optimizer.step()
            loss_sum += loss.item() * len(x)
            correct += (output.argmax(1) == y).sum().item()
        model.eval()
        with torch.no_grad():
            for x, y in validation:
                output = model(x)
                loss_sum += criterion(output, y).item() * len(x)
                correct += (output.argmax(1) == y).sum().item()

    return epoch


def tensors(network: MakeNetwork, samples: Samples, rate: float) -> Epoch:
    """The same without a ``DataLoader``: batches are selections from tensors in memory."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> None:
        model.train()
        loss_sum, correct = 0.0, 0
        order = torch.randperm(len(samples.x))
        for start in range(0, len(order), samples.batch):
            chosen = order[start : start + samples.batch]
            x, y = samples.x[chosen], samples.y[chosen]
            optimizer.zero_grad()
            output = model(x)
            loss = criterion(output, y)
            loss.backward()
            if samples.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), samples.clip)
            optimizer.step()
            loss_sum += loss.item() * len(x)
            correct += (output.argmax(1) == y).sum().item()
        model.eval()
        with torch.no_grad():
            for start in range(0, len(samples.validation_x), samples.batch):
                x = samples.validation_x[start : start + samples.batch]
                y = samples.validation_y[start : start + samples.batch]
                output = model(x)
                loss_sum += criterion(output, y).item() * len(x)
                correct += (output.argmax(1) == y).sum().item()

    return epoch


def lightning(network: MakeNetwork, samples: Samples, rate: float) -> Callable[[float], float]:
    """A LightningModule; its own progress bar, logger and checkpoints are off.

    Returns a function that trains whole epochs for at least so many seconds and tells the batches a
    second, without the set-up of ``fit``.
    """
    import lightning as pl

    warnings.simplefilter("ignore")
    train = DataLoader(TensorDataset(samples.x, samples.y), batch_size=samples.batch, shuffle=True)
    validation = DataLoader(
        TensorDataset(samples.validation_x, samples.validation_y), batch_size=samples.batch
    )
    module = _module(pl.LightningModule, network, rate)

    def rounds(seconds: float) -> float:
        clock = _clock(pl.Callback, seconds)
        pl.Trainer(
            max_epochs=-1,
            gradient_clip_val=samples.clip,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            callbacks=[clock],
        ).fit(module, train, validation)
        return float(clock.epochs * samples.batches / clock.seconds)

    return rounds


def _module(base: Any, network: MakeNetwork, rate: float) -> Any:
    """The LightningModule."""

    class Module(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network()
            self.criterion = nn.CrossEntropyLoss()

        def training_step(self, batch: Any, _: int) -> Tensor:
            x, y = batch
            output = self.network(x)
            loss: Tensor = self.criterion(output, y)
            self.log("train_loss", loss)
            self.log("train_accuracy", (output.argmax(1) == y).float().mean())
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            x, y = batch
            output = self.network(x)
            self.log("loss", self.criterion(output, y))
            self.log("accuracy", (output.argmax(1) == y).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=rate)

    return Module()


def _clock(base: Any, seconds: float) -> Any:
    """A Lightning callback that times epochs and ends the training after ``seconds``."""

    class Clock(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.started, self.seconds, self.epochs = 0.0, 0.0, 0

        def on_train_start(self, *_: Any) -> None:
            self.started = time.perf_counter()

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            self.epochs += 1
            self.seconds = time.perf_counter() - self.started
            trainer.should_stop = self.seconds >= seconds

    return Clock()


def keras(layers: Callable[[Any], list[Any]], samples: Samples, rate: float) -> Epoch:
    """``fit`` with one epoch at a time; ``layers`` makes the same network of Keras layers."""
    import keras

    keras.config.set_image_data_format("channels_first")
    x, validation_x = samples.x.numpy(), samples.validation_x.numpy()
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers(keras.layers)])
    model.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=samples.clip),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

    def epoch() -> None:
        model.fit(
            x,
            samples.y.numpy(),
            batch_size=samples.batch,
            validation_data=(validation_x, samples.validation_y.numpy()),
            validation_batch_size=samples.batch,
            verbose=0,
        )

    return epoch


def rate_of(epoch: Epoch, batches: int, seconds: float) -> float:
    """Batches a second over whole epochs that take at least ``seconds``."""
    started, epochs, taken = time.perf_counter(), 0, 0.0
    while taken < seconds:
        epoch()
        epochs += 1
        taken = time.perf_counter() - started
    return epochs * batches / taken


def samples_of(arrays: dict[str, tuple[Any, Any]], batch: int, clip: float | None) -> Samples:
    """From numpy arrays {"train": (x, y), "validation": (x, y)}."""
    (x, y), (validation_x, validation_y) = arrays["train"], arrays["validation"]
    return Samples(
        torch.from_numpy(np.ascontiguousarray(x)),
        torch.from_numpy(np.ascontiguousarray(y)),
        torch.from_numpy(np.ascontiguousarray(validation_x)),
        torch.from_numpy(np.ascontiguousarray(validation_y)),
        batch,
        clip,
    )
