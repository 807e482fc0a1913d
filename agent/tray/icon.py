"""The tray icon: answers whoever draws it, says when it has changed, and knows whether its present picture was fetched."""

from collections.abc import Callable

from jeepney import HeaderFields, Message, MessageType

from agent.tray import menu
from agent.tray.bus import Bus
from agent.tray.exported import ITEM, ITEM_PATH, MENU, MENU_PATH, Exported, Pictures
from agent.tray.look import Act, Look, Shown
from agent.tray.reply import NotHere


class Icon:
    """Our item and menu on the bus.

    Attributes:
        fetched: The look that was last handed out; None if nobody has asked.
    """

    def __init__(self, bus: Bus, refreshed: Callable[[], Shown], act: Callable[[Act], None]) -> None:
        """`refreshed` gives what to show at this moment, `act` does what a click asked for."""
        self._bus = bus
        self._refreshed = refreshed
        self._act = act
        self._pictures = Pictures()
        self._root = menu.build(refreshed())
        self._laid_out: menu.Item | None = None
        self._revision = 1
        self._said: Shown | None = None
        self.fetched: Look | None = None

    def redraw(self) -> None:
        """Says on the bus what has changed: a host fetches everything again for each signal."""
        shown, said = self._refreshed(), self._said
        self._said = shown
        if said is None or shown.look is not said.look:
            self._bus.signal(ITEM_PATH, ITEM, "NewIcon")
            self._bus.signal(ITEM_PATH, ITEM, "NewStatus", "s", ("Active",))
        self._bus.signal(ITEM_PATH, ITEM, "NewToolTip")
        self._rebuild(shown)
        self._bus.signal(MENU_PATH, MENU, "LayoutUpdated", "ui", (self._revision, 0))

    def called(self, message: Message) -> bool:
        """Answers, if it is a call; True if the caller has fetched the picture."""
        if message.header.message_type is not MessageType.method_call:
            return False
        fields = message.header.fields
        path, interface, member = (str(fields.get(key, "")) for key in (HeaderFields.path, HeaderFields.interface, HeaderFields.member))
        shown = self._refreshed()
        self._rebuild(shown)
        exported = Exported(shown, self._root, self._revision, self._laid_out != self._root, self._pictures)
        try:
            reply = exported.answer(path, interface, member, tuple(message.body))
        except NotHere as error:
            self._bus.refuse(message, f"there is no {error}")
            return False
        self._bus.reply(message, reply.signature, reply.body)
        if reply.pictured:
            self.fetched = shown.look
        if reply.laid_out:
            self._laid_out = self._root
        for act in reply.acts:
            self._act(act)
        return reply.pictured

    def _rebuild(self, shown: Shown) -> None:
        root = menu.build(shown)
        if root != self._root:
            self._root = root
            self._revision += 1
