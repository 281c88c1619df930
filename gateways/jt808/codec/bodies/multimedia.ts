/** Pictures, sound and video: 0x0800 to 0x0805 and 0x8800 to 0x8805 (JT/T 808 8.51 to 8.60). */
import { bcd, bytesRest, type Field, noted, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, equals, formatOf, list, orElse, struct, tailCount, tailList, when } from '../declare/struct.ts'
import type { Location } from './location.ts'
import { BASICS_OCTETS, locationBasics, locationIfAny } from './location-field.ts'

const kind = noted(u8, '0 image, 1 audio, 2 video')
const cause = noted(u8, '0 command, 1 timer, 2 robbery, 3 collision, 4 door opened, 5 door closed, 6 speed crossed, 7 distance')

const item = { id: u32, type: kind, format: noted(u8, '0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV'), event: cause, channel: u8 }

/** 0x0800 */
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

const stored = { type: kind, channel: u8, event: cause, location: locationBasics }
const storedItem = struct({ id: u32, ...stored })
const storedItem2011 = struct(stored)
const OCTETS_2011 = 3 + BASICS_OCTETS

const storedItems: Field<readonly StoredMedia[]> = {
  shape: {
    kind: 'either',
    of: [list('length', storedItem).shape, list('length', storedItem2011).shape],
  },
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
  take(json, path, owner, intake) {
    const old = Array.isArray(json) && json.length > 0 && json.every((item) => Object(item).id === undefined)
    return list<StoredMedia>('length', old ? (storedItem2011 as Field<StoredMedia>) : (storedItem as Field<StoredMedia>)).take(
      json,
      path,
      owner,
      intake,
    )
  },
}

/** 0x0802 */
export const mediaSearchReply = declared(0x0802, { seq: u16, length: countOf(u16, 'result'), result: storedItems })

const taken = equals('result', 0)

/** 0x0805 */
export const shotReply = declared(0x0805, {
  seq: u16,
  result: noted(u8, '0 taken, 1 failed, 2 no such channel'),
  length: when(taken, countOf(u16, 'ids')),
  ids: when(taken, list('length', u32)),
})

/** 0x8801 */
export const shoot = declared(0x8801, {
  channel_id: u8,
  command: noted(u16, '0 stop, 65535 video, else so many pictures'),
  period: noted(u16, 's between pictures, or of video'),
  save: noted(u8, '0 upload, 1 store'),
  resolution: noted(
    u8,
    '0 lowest, 1 320x240, 2 640x480, 3 800x600, 4 1024x768, 5 176x144, 6 352x288, 7 704x288, 8 704x576, 255 highest',
  ),
  quality: noted(u8, '1 best to 10'),
  bright: noted(u8, '0 to 255'),
  contrast: noted(u8, '0 to 127'),
  saturate: noted(u8, '0 to 127'),
  chromaticity: noted(u8, '0 to 255'),
})

const bound = noted(bcd(6), 'YYMMDDhhmmss at GMT+8; zeros are no bound')
const search = { type: kind, channel: noted(u8, '0 all'), event: cause, start_time: bound, end_time: bound }

/** 0x8802 */
export const mediaSearch = declared(0x8802, search)

/** 0x8803 */
export const mediaUpload = declared(0x8803, { ...search, delete: noted(orElse(u8, 0), '1 deletes what was sent') })

/** 0x8804 */
export const audioRecording = declared(0x8804, {
  command: noted(u8, '0 stop, 1 start'),
  time: noted(u16, 's; 0 goes on'),
  save: noted(u8, '0 upload, 1 store'),
  rate: noted(u8, '0 8 kHz, 1 11 kHz, 2 23 kHz, 3 32 kHz'),
})

/** 0x8805 */
export const singleUpload = declared(0x8805, { id: u32, flag: noted(u8, '1 deletes what was sent') })
