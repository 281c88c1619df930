/**
 * What the driver sees, hears and answers: events, questions, menus, calls, phone book, and control of the vehicle
 * (JT/T 808 8.24 to 8.34; 2019 has dropped events, questions and menus, devices have not).
 */
import { bytesRest, type Field, namedText, noted, octetsOf, textRest, u8, u16 } from '../declare/field.ts'
import { countOf, declared, formatOf, in2019, list, listRest, not, struct, tailCount, tailList, when } from '../declare/struct.ts'

const eventItem = struct({ id: u8, length: octetsOf(u8, 'content'), content: namedText('length') })
const eventId = struct({ id: u8 })

type EventItem = { readonly id: number; readonly length?: number | undefined; readonly content?: string }

const DELETE_LISTED = 4

/** Deleting names events without their text. Some terminals and platforms write an empty text there. */
const events: Field<readonly EventItem[]> = {
  shape: { kind: 'list', item: { kind: 'either', of: [eventItem.shape, eventId.shape] }, count: 'length' },
  read(reader, owner, form) {
    const total = owner['length'] as number
    const bare = owner['type'] === DELETE_LISTED && reader.remaining === total
    return list<EventItem>('length', bare ? eventId : (eventItem as Field<EventItem>)).read(reader, owner, form)
  },
  write(writer, items, owner, form) {
    for (const item of items) {
      if (item.content === undefined) eventId.write(writer, item, owner, form)
      else eventItem.write(writer, { id: item.id, content: item.content }, owner, form)
    }
  },
  show: (items) => items,
  take(json, path, owner, intake) {
    const worded = Array.isArray(json) && json.some((item) => Object(item).content !== undefined)
    const bare = owner['type'] === DELETE_LISTED && !worded
    return list<EventItem>('length', bare ? eventId : (eventItem as Field<EventItem>)).take(json, path, owner, intake)
  },
}

/** 0x8301 */
export const setEvents = declared(0x8301, {
  type: noted(u8, '0 delete all, 1 replace, 2 append, 3 modify, 4 delete those listed'),
  length: tailCount(u8, 'events'),
  events: tailList('length', events),
})

/** 0x0301 */
export const eventReport = declared(0x0301, { id: u8 })

/** 0x8302 */
export const question = formatOf(
  0x8302,
  struct({
    flag: noted(u8, 'flags: 0 urgent, 3 voice, 4 advertising screen'),
    length: octetsOf(u8, 'question'),
    question: namedText('length'),
    answers: listRest(struct({ id: u8, len: octetsOf(u16, 'answer'), answer: namedText('len') })),
  }),
)

/** 0x0302 */
export const questionAnswer = declared(0x0302, { seq: noted(u16, 'serial number of the question'), id: u8 })

/** 0x8303 */
export const setMenu = declared(0x8303, {
  type: noted(u8, '0 delete all, 1 replace, 2 append, 3 modify'),
  length: tailCount(u8, 'menus'),
  menus: tailList('length', list('length', struct({ type: u8, length: octetsOf(u16, 'info'), info: namedText('length') }))),
})

/** 0x0303 */
export const informationDemand = declared(0x0303, { id: u8, flag: noted(u8, '0 cancel, 1 subscribe') })

/** 0x8304 */
export const information = declared(0x8304, { type: u8, length: octetsOf(u16, 'info'), info: namedText('length') })

/** 0x8400 */
export const callBack = formatOf(0x8400, struct({ type: noted(u8, '0 a call, 1 listening in'), phone: textRest }))

/** 0x8401 */
export const phoneBook = declared(0x8401, {
  type: noted(u8, '0 delete all, 1 replace, 2 append, 3 modify'),
  length: tailCount(u8, 'contacts'),
  contacts: tailList(
    'length',
    list(
      'length',
      struct({
        type: noted(u8, '1 incoming, 2 outgoing, 3 both'),
        phone_len: octetsOf(u8, 'phone'),
        phone: namedText('phone_len'),
        name_len: octetsOf(u8, 'name'),
        name: namedText('name_len'),
      }),
    ),
  ),
})

/** Control of 0x8500, 2019. */
export const DOORS = 0x0001

/** The length of `param` hangs on the control: one octet for the doors, as the maker says for the others. */
const controls: Field<readonly { readonly id: number; readonly param: Uint8Array }[]> = {
  ...list('count', struct({ id: noted(u16, '1 doors'), param: noted(bytesRest, 'doors: one octet, 0 locks and 1 unlocks') })),
  read(reader, owner) {
    const items: { id: number; param: Uint8Array }[] = []
    for (let i = 0; i < (owner['count'] as number) && reader.ok; i++) {
      const id = reader.u16()
      items.push({ id, param: id === DOORS ? reader.take(1) : reader.rest() })
    }
    return items
  },
}

/** 0x8500 */
export const vehicleControl = declared(0x8500, {
  flag: when(not(in2019), noted(u8, 'bit 0: 0 unlocks the doors, 1 locks')),
  count: when(in2019, countOf(u16, 'controls')),
  controls: when(in2019, controls),
})
