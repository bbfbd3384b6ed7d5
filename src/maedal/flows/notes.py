"""Write notes and tags beside payments and customers, and take them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator import Operator
from maedal.operators.role import Permission, may
from maedal.payments.errors import InvalidParameter, PaymentNotFound
from maedal.payments.notes import NOTES_MAX, TAGS_MAX, Note, NoteSubject, Remarks, Tag, note_text, tag_word
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.notes.reads import HasNotes
from maedal.storage.notes.writes import AddNote, AddTag, RemoveNote, RemoveTag
from maedal.storage.payments.reads import HasPayments
from maedal.storage.write import Writes


class NotesStore(HasBillingKeys, HasNotes, HasPayments, Writes, Protocol): ...


async def remarks(
    services: ServicesWith[NotesStore], merchant_id: str, kind: NoteSubject, subjects: Sequence[str]
) -> dict[str, Remarks]:
    """Return what is written beside each of these payments or customers, by their ids."""
    return await services.store.notes.of(merchant_id, kind, subjects)


async def add_note(
    services: ServicesWith[NotesStore],
    merchant_id: str,
    subject: tuple[NoteSubject, str],
    text: str,
    operator: Operator,
    note_id: str,
) -> None:
    """Keep a note, once however often it comes under this id.

    Raises InvalidParameter for a bad text or one too many, PaymentNotFound or BillingKeyNotFound.
    """
    await _check(services, merchant_id, *subject)
    now = services.clock.now()
    note = Note(merchant_id, note_id, *subject, operator.name, note_text(text), now)
    entry = _entry(services, merchant_id, AuditAction.ADD_NOTE, subject[1], operator)
    if not await services.store.write(AddNote(note, entry)):
        raise InvalidParameter("text", f"there are {NOTES_MAX} notes already; delete one first")


async def remove_note(
    services: ServicesWith[NotesStore],
    merchant_id: str,
    subject: tuple[NoteSubject, str],
    note_id: str,
    operator: Operator,
) -> bool:
    """Remove one's own note, or anybody's if one manages operators; return whether it was there."""
    found = (await services.store.notes.of(merchant_id, subject[0], [subject[1]]))[subject[1]]
    note = next((one for one in found.notes if one.id == note_id), None)
    if note is None or not may_remove(note, operator):
        return False
    entry = _entry(services, merchant_id, AuditAction.REMOVE_NOTE, subject[1], operator, before=f"of={note.author}")
    return await services.store.write(RemoveNote(note, entry))


def may_remove(note: Note, operator: Operator) -> bool:
    """Return whether an operator may remove a note."""
    return note.author == operator.name or may(operator.role, Permission.MANAGE_OPERATORS)


async def add_tag(
    services: ServicesWith[NotesStore],
    merchant_id: str,
    subject: tuple[NoteSubject, str],
    word: str,
    operator: Operator,
) -> None:
    """Give a tag; one that is there already stays. Raises InvalidParameter, PaymentNotFound or BillingKeyNotFound."""
    await _check(services, merchant_id, *subject)
    tag = Tag(merchant_id, *subject, tag_word(word), operator.name, services.clock.now())
    entry = _entry(services, merchant_id, AuditAction.ADD_TAG, subject[1], operator)
    if not await services.store.write(AddTag(tag, entry)):
        raise InvalidParameter("tag", f"there are {TAGS_MAX} tags already; remove one first")


async def remove_tag(
    services: ServicesWith[NotesStore],
    merchant_id: str,
    subject: tuple[NoteSubject, str],
    word: str,
    operator: Operator,
) -> bool:
    """Take a tag away; return whether it was there."""
    tag = Tag(merchant_id, *subject, word, operator.name, services.clock.now())
    entry = _entry(services, merchant_id, AuditAction.REMOVE_TAG, subject[1], operator)
    return await services.store.write(RemoveTag(tag, entry))


async def _check(services: ServicesWith[NotesStore], merchant_id: str, kind: NoteSubject, subject: str) -> None:
    """Raise PaymentNotFound or BillingKeyNotFound when there is nothing of that id."""
    if kind is NoteSubject.PAYMENT:
        if await services.store.payments.find(merchant_id, subject) is None:
            raise PaymentNotFound("no such payment")
    elif not await services.store.billing_keys.of_customer(
        merchant_id, subject, 1
    ) and not await services.store.payments.of_customer(merchant_id, subject, 1):
        raise BillingKeyNotFound("nothing is known of this customer_uid")


def _entry(
    services: ServicesWithoutStore,
    merchant_id: str,
    kind: AuditAction,
    subject: str,
    operator: Operator,
    before: str = "",
) -> AuditEntry:
    # What a note or a tag says may tell of a buyer, and this log is for ever.
    now = services.clock.now()
    return AuditEntry(services.ids.row(now), merchant_id, kind, subject, operator.name, NO_REASON, before, "", now)
