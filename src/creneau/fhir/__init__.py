"""The format, ignorant of calendars."""
