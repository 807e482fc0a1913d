"""How a real xfce4-panel is configured to hold nothing but a tray: one file, read by xfconfd from a private XDG_CONFIG_HOME.

The panel starts xfconfd over D-Bus activation;
the variables must stand in the environment of the `dbus-daemon` too, not only in the panel's.
"""

import os
from pathlib import Path

_PANEL_XML = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="{dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="icon-size" type="uint" value="{icon_px}"/>
      <property name="size" type="uint" value="{size_px}"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""


def panel_config(home: Path, *, dark: bool = True, size_px: int = 32, icon_px: int = 24) -> dict[str, str]:
    """Writes the panel's settings under `home`; the environment for dbus-daemon, panel and xfconfd (without DISPLAY and bus address).

    Start `dbus-daemon --session` with this environment plus DISPLAY, then `xfce4-panel --disable-wm-check` with the bus address as well.
    """
    settings = home / "config" / "xfce4" / "xfconf" / "xfce-perchannel-xml"
    settings.mkdir(parents=True)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    text = _PANEL_XML.format(dark=str(dark).lower(), size_px=size_px, icon_px=icon_px)
    (settings / "xfce4-panel.xml").write_text(text)
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(runtime),
        "GTK_A11Y": "none",
        "NO_AT_BRIDGE": "1",
    }
