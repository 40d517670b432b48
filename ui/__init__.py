"""The window. Which Qt the plots use is said here, before anything can load them."""

import os

os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
