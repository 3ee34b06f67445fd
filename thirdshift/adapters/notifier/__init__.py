"""Mail, chat and webhooks through one library."""

from thirdshift.adapters.notifier.apprise_notifier import AppriseNotifier

__all__ = ["AppriseNotifier"]
