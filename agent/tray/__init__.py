"""The indicator: the person always sees what holds, and stops it there. A tray icon, or a badge where there is no tray.

On Linux desktops the icon is a StatusNotifierItem. It collects nothing and decides nothing; `start.run` is its process.
"""
