"""The inbox: messages that were accepted and are not in the lake yet, safe from any crash."""

from dongcha.warehouse.inbox.inbox import Inbox, open_inbox
from dongcha.warehouse.inbox.message import Message

__all__ = ["Inbox", "Message", "open_inbox"]
