/** Pictures, sound and video: 0x0800 to 0x0805 and 0x8800 to 0x8805 (JT/T 808 8.51 to 8.60). */
import { bcd, bytesRest, type Field, sentOnly, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, equals, formatOf, list, orElse, struct, tailCount, tailList, when } from '../declare/struct.ts'
import type { Location } from './location.ts'
import { BASICS_OCTETS, locationBasics, locationIfAny } from './location-field.ts'

const item = { id: u32, type: u8, format: u8, event: u8, channel: u8 }

/** 0x0800. `type`: 0 image, 1 audio, 2 video; `format`: 0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV. */
export const mediaEvent = declared(0x0800, item)

/** 0x0801. Terminals of 2011 send no location. */
export const mediaData = formatOf(0x0801, struct({ ...item, location: locationIfAny, multimedia: bytesRest }))

/** 0x8800. Without a list the media has arrived; the 2011 edition wants a list of none. */
export const mediaResponse = declared(0x8800, {
  mm_id: u32,
  length: tailCount(u8, 'retx_ids'),
  retx_ids: tailList('length', list('length', u16)),
})

/** An entry of a search. Terminals of 2011 do not number their media. */
export interface StoredMedia {
  readonly id?: number | undefined
  readonly type: number
  readonly channel: number
  readonly event: number
  readonly location: Location
}

const stored = { type: u8, channel: u8, event: u8, location: locationBasics }
const storedItem = struct({ id: u32, ...stored })
const storedItem2011 = struct(stored)
const OCTETS_2011 = 3 + BASICS_OCTETS

const storedItems: Field<readonly StoredMedia[]> = {
  read(reader, owner, form) {
    const total = owner['length'] as number
    const old = total > 0 && reader.remaining === total * OCTETS_2011
    return list<StoredMedia>('length', old ? (storedItem2011 as Field<StoredMedia>) : (storedItem as Field<StoredMedia>)).read(
      reader,
      owner,
      form,
    )
  },
  write(writer, items, owner, form) {
    for (const { id, ...rest } of items) {
      if (id === undefined) storedItem2011.write(writer, rest, owner, form)
      else storedItem.write(writer, { id, ...rest }, owner, form)
    }
  },
  show: (items) => items.map(({ id, ...rest }) => ({ id, ...(storedItem2011.show(rest) as object) })),
  take: (_json, path, _owner, intake) => sentOnly(path, intake, []),
}

/** 0x0802 */
export const mediaSearchReply = declared(0x0802, { seq: u16, length: countOf(u16, 'result'), result: storedItems })

const taken = equals('result', 0)

/** 0x0805. `result`: 0 taken, 1 failed, 2 no such channel. */
export const shotReply = declared(0x0805, {
  seq: u16,
  result: u8,
  length: when(taken, countOf(u16, 'ids')),
  ids: when(taken, list('length', u32)),
})

/** 0x8801. `command`: 0 stop, 0xffff video, else so many pictures; `period` seconds. */
export const shoot = declared(0x8801, {
  channel_id: u8,
  command: u16,
  period: u16,
  save: u8,
  resolution: u8,
  quality: u8,
  bright: u8,
  contrast: u8,
  saturate: u8,
  chromaticity: u8,
})

const search = { type: u8, channel: u8, event: u8, start_time: bcd(6), end_time: bcd(6) }

/** 0x8802. Times of zeros are no bounds. */
export const mediaSearch = declared(0x8802, search)

/** 0x8803. `delete`: 1 deletes what was sent. */
export const mediaUpload = declared(0x8803, { ...search, delete: orElse(u8, 0) })

/** 0x8804. `command`: 0 stop, 1 start; `rate`: 0 8 kHz, 1 11, 2 23, 3 32. */
export const audioRecording = declared(0x8804, { command: u8, time: u16, save: u8, rate: u8 })

/** 0x8805. `flag`: 1 deletes what was sent. */
export const singleUpload = declared(0x8805, { id: u32, flag: u8 })
