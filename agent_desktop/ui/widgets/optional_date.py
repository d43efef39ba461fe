"""A date, or a date and time, that may be left empty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import time as day_time

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt, QTime
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QDateTimeEdit

_EMPTY = QDateTime(QDate(2000, 1, 1), QTime(0, 0))


class OptionalDateEdit(QDateTimeEdit):
    """Empty until the person types or clicks in it, then tomorrow; Delete empties it again. Local time."""

    def __init__(self, name: str, *, with_time: bool) -> None:
        super().__init__()
        self.setObjectName(name)
        self._with_time = with_time
        self.setCalendarPopup(True)
        self.setMinimumDateTime(_EMPTY)
        self.setMinimumHeight(32)
        self.clear_value()

    def set_words(self, empty: str, accessible: str) -> None:
        """The text shown while it is empty, and its name for a screen reader; weekdays in the language of now."""
        self.setLocale(QLocale())
        self.setSpecialValueText(empty)
        self.setAccessibleName(accessible)
        self.setDisplayFormat("MM-dd ddd HH:mm" if self._with_time else "MM-dd ddd")

    @property
    def empty(self) -> bool:
        return self.dateTime() == _EMPTY

    def value_date(self) -> date | None:
        """The day, None when empty."""
        picked = self.date()
        return None if self.empty else date(picked.year(), picked.month(), picked.day())

    def value_time(self) -> datetime | None:
        """The moment, aware, None when empty."""
        if self.empty:
            return None
        return datetime.fromtimestamp(self.dateTime().toSecsSinceEpoch()).astimezone()

    def set_date(self, value: date | None) -> None:
        self.setDateTime(_EMPTY if value is None else QDateTime(QDate(value.year, value.month, value.day), QTime(0, 0)))

    def set_time(self, value: datetime | None) -> None:
        self.setDateTime(_EMPTY if value is None else QDateTime.fromSecsSinceEpoch(int(value.timestamp())))

    def clear_value(self) -> None:
        self.setDateTime(_EMPTY)

    def _start(self) -> None:
        tomorrow = datetime.now() + timedelta(days=1)
        if self._with_time:
            self.set_time(datetime.combine(tomorrow.date(), day_time(10, 0)))
        else:
            self.set_date(tomorrow.date())
        self.setSelectedSection(QDateTimeEdit.Section.MonthSection)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.clear_value()
            return
        if self.empty and (event.text().isdigit() or event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)):
            self._start()
            if not event.text().isdigit():
                return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.empty:
            self._start()
        super().mousePressEvent(event)
