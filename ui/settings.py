"""What the window remembers between starts: sizes, hidden panels, theme, recent projects."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

ORGANISATION = "Playground"
APPLICATION = "Playground"
MOST_RECENT = 12


def settings() -> QSettings:
    """A fresh view of the one settings file (an INI file in the user's configuration folder)."""
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, ORGANISATION, APPLICATION
    )


def recent_projects() -> list[Path]:
    """Projects that were open lately, newest first; those that are gone are left out."""
    stored = settings().value("recent")
    names = stored if isinstance(stored, list) else [stored] if stored else []
    return [path for path in map(Path, map(str, names)) if path.is_file()]


def remember_project(path: Path) -> None:
    path = path.resolve()
    others = [other for other in recent_projects() if other != path]
    names = [str(item) for item in (path, *others)]
    settings().setValue("recent", names[:MOST_RECENT])


def forget_project(path: Path) -> None:
    path = path.resolve()
    settings().setValue("recent", [str(other) for other in recent_projects() if other != path])
