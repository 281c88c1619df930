/**
 * What the driver sees, hears and answers: events, questions, menus, calls, phone book, and control of the vehicle
 * (JT/T 808 8.24 to 8.34; 2019 has dropped events, questions and menus, devices have not).
 */
import { bytesRest, type Field, namedText, octetsOf, textRest, u8, u16 } from '../declare/field.ts'
import { countOf, declared, formatOf, in2019, list, listRest, not, struct, tailCount, tailList, when } from '../declare/struct.ts'

const eventItem = struct({ id: u8, length: octetsOf(u8, 'content'), content: namedText('length') })
const eventId = struct({ id: u8 })

type EventItem = { readonly id: number; readonly length?: number | undefined; readonly content?: string }

const DELETE_LISTED = 4

/** Deleting names events without their text. Some terminals and platforms write an empty text there. */
const events: Field<readonly EventItem[]> = {
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
  take: (json, path, owner, intake) =>
    list<EventItem>('length', owner['type'] === DELETE_LISTED ? eventId : (eventItem as Field<EventItem>)).take(
      json,
      path,
      owner,
      intake,
    ),
}

/** 0x8301. `type`: 0 delete all, 1 replace, 2 append, 3 modify, 4 delete those listed. */
export const setEvents = declared(0x8301, { type: u8, length: tailCount(u8, 'events'), events: tailList('length', events) })

/** 0x0301 */
export const eventReport = declared(0x0301, { id: u8 })

/** 0x8302. `flag`: bit 0 urgent, 3 voice, 4 screen. */
export const question = formatOf(
  0x8302,
  struct({
    flag: u8,
    length: octetsOf(u8, 'question'),
    question: namedText('length'),
    answers: listRest(struct({ id: u8, len: octetsOf(u16, 'answer'), answer: namedText('len') })),
  }),
)

/** 0x0302. `seq` is the serial number of the question. */
export const questionAnswer = declared(0x0302, { seq: u16, id: u8 })

/** 0x8303. `type`: 0 delete all, 1 replace, 2 append, 3 modify. */
export const setMenu = declared(0x8303, {
  type: u8,
  length: tailCount(u8, 'menus'),
  menus: tailList('length', list('length', struct({ type: u8, length: octetsOf(u16, 'info'), info: namedText('length') }))),
})

/** 0x0303. `flag`: 0 cancel, 1 subscribe. */
export const informationDemand = declared(0x0303, { id: u8, flag: u8 })

/** 0x8304 */
export const information = declared(0x8304, { type: u8, length: octetsOf(u16, 'info'), info: namedText('length') })

/** 0x8400. `type`: 0 a call, 1 listening in. */
export const callBack = formatOf(0x8400, struct({ type: u8, phone: textRest }))

/** 0x8401. `type` of the book: 0 delete all, 1 replace, 2 append, 3 modify; of a contact: 1 incoming, 2 outgoing, 3 both. */
export const phoneBook = declared(0x8401, {
  type: u8,
  length: tailCount(u8, 'contacts'),
  contacts: tailList(
    'length',
    list(
      'length',
      struct({
        type: u8,
        phone_len: octetsOf(u8, 'phone'),
        phone: namedText('phone_len'),
        name_len: octetsOf(u8, 'name'),
        name: namedText('name_len'),
      }),
    ),
  ),
})

const DOORS = 0x0001

/** The length of `param` hangs on the control: one octet for the doors, as the maker says for the others. */
const controls: Field<readonly { readonly id: number; readonly param: Uint8Array }[]> = {
  ...list('count', struct({ id: u16, param: bytesRest })),
  read(reader, owner) {
    const items: { id: number; param: Uint8Array }[] = []
    for (let i = 0; i < (owner['count'] as number) && reader.ok; i++) {
      const id = reader.u16()
      items.push({ id, param: id === DOORS ? reader.take(1) : reader.rest() })
    }
    return items
  },
}

/** 0x8500. 2013: bit 0 of `flag`, 0 unlocks and 1 locks; 2019: control 1 with parameter 0 locks and 1 unlocks. */
export const vehicleControl = declared(0x8500, {
  flag: when(not(in2019), u8),
  count: when(in2019, countOf(u16, 'controls')),
  controls: when(in2019, controls),
})
