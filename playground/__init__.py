"""What is done with a network: data, tasks, training, probes, runs, export. Never Qt."""

from playground import interrupt as interrupt  # first: from here on Ctrl+C shows no traceback

# isort: split
from playground import compat as compat  # before others: it repairs what they then import
