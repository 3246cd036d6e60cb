"""Every table; migrations make them."""

from storage.tables.clock import (
    alerts,
    call_plans,
    campaign_reached,
    campaigns,
    check_ins,
    contacts,
    figures,
    leaves,
    needs,
    postponements,
    quotas,
    requests,
    tellings,
    ticks,
)
from storage.tables.columns import metadata
from storage.tables.ledger import (
    accounts,
    areas,
    assignments,
    audit,
    audit_subjects,
    courses,
    drafts,
    elders,
    files,
    forms,
    guesses,
    inbox,
    invitations,
    jobs,
    media,
    meta,
    outbox,
    pages,
    people,
    phone_messages,
    posts,
    proposals,
    surveys,
    visits,
    wishes,
)

__all__ = [
    "accounts", "alerts", "areas", "assignments", "audit", "audit_subjects", "call_plans", "campaign_reached",
    "campaigns", "check_ins", "contacts", "courses", "drafts", "elders", "figures", "files", "forms", "guesses",
    "inbox", "invitations", "jobs", "leaves", "media", "meta", "metadata", "needs", "outbox", "pages", "people",
    "phone_messages", "postponements", "posts", "proposals", "quotas", "requests", "surveys", "tellings", "ticks",
    "visits", "wishes",
]
