/** Notes and tags on an order. A merchant's users see only the notes that were written for them, and no tags. */
import type { NoteRow, OrderNotes, TagRow } from '@acopay/protocol/console'
import { orderNotes, orderTags } from '@acopay/store/read'
import { NOTES_MAX, noteOnOrder, tagOrder } from '../../../actions/console/order-notes.ts'
import type { World } from '../../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, orderOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'

const ORDER = 'orders/:mch_no/:transaction_no'
const NOTE_MAX = 500
const TAG_MAX = 24
const TAGS_MAX = 10

type OfOrder = { mchNo: string; transactionNo: string }

/** The notes and tags that this caller may see. */
export async function notesFor(world: World, order: OfOrder, { mchNo }: Caller): Promise<OrderNotes> {
  const isMerchants = mchNo !== null
  const notes = (await orderNotes(world.pool, order)).filter(({ forMerchant }) => forMerchant || !isMerchants)
  const tags = isMerchants ? [] : await orderTags(world.pool, order)
  return {
    notes: notes.map(
      ({ at, username, forMerchant, note }): NoteRow => ({
        at: at.toISOString(),
        username: isMerchants ? null : username,
        for_merchant: forMerchant,
        note,
      }),
    ),
    tags: tags.map(({ tag, at, username }): TagRow => ({ tag, at: at.toISOString(), username })),
  }
}

async function addNote(world: World, call: ConsoleCall): Promise<OrderNotes | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const read = fieldsOf(call.body)
  const [note, forMerchant] = [read.needed('note', NOTE_MAX).trim(), read.yes('for_merchant') ?? false]
  if (note === '') read.say('note', '不能为空', 'is missing')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isAdded = await noteOnOrder(world, order, { note, forMerchant, by: call.caller.username })
  if (!isAdded) return failed('CONFLICT', `一笔订单至多${NOTES_MAX}条备注`, `An order has at most ${NOTES_MAX} notes`)
  return notesFor(world, order, call.caller)
}

/** Null where the value is no list of tags. Blanks around a tag are dropped, and a repeated tag counts once. */
function tagsIn(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > TAGS_MAX) return null
  const tags = value.map((one) => (typeof one === 'string' ? one.trim() : ''))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  const isTag = (tag: string): boolean => tag !== '' && tag.length <= TAG_MAX && !/[\u0000-\u001f\u007f,]/.test(tag)
  return tags.every(isTag) ? [...new Set(tags)] : null
}

async function setTags(world: World, call: ConsoleCall): Promise<OrderNotes | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const tags = tagsIn(call.body.tags)
  if (tags === null) {
    const zh = `tags 应为至多${TAGS_MAX}个标签，每个至多${TAG_MAX}个字符，不含逗号`
    const en = `tags should be at most ${TAGS_MAX} tags of at most ${TAG_MAX} characters, without commas`
    return failed('FIELD_INVALID', zh, en, { field: 'tags' })
  }
  await tagOrder(world, order, { tags, by: call.caller.username })
  return notesFor(world, order, call.caller)
}

const audited = ({ path }: ConsoleCall) => ({ mchNo: path.mch_no ?? null, subject: path.transaction_no ?? null })

async function stateOf(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return {}
  const { notes, tags } = await notesFor(world, order, call.caller)
  return { notes: notes.length, tags: tags.map(({ tag }) => tag) }
}

export const orderNoteEndpoints: ConsoleEndpoint[] = [
  {
    method: 'POST',
    path: `${ORDER}/notes`,
    permission: 'orders.note',
    action: 'orders.note',
    audited,
    stateOf,
    handle: addNote,
  },
  {
    method: 'PUT',
    path: `${ORDER}/tags`,
    permission: 'orders.note',
    action: 'orders.tag',
    audited,
    stateOf,
    handle: setTags,
  },
]
