"""What is done with a network: data, tasks, training, probes, runs, export. Never Qt."""

from playground import compat as compat  # first: it repairs what others then import
