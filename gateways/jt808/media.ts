/** Pictures, sound and video as events: what they are in words, and their octets as base64 where they are not too many. */
import { toBase64 } from './codec/declare/field.ts'
import type { Of } from './codec/index.ts'
import { type Data, locationData } from './topics.ts'

const KINDS = ['image', 'audio', 'video']
const FORMATS = ['jpeg', 'tif', 'mp3', 'wav', 'wmv']
/** Why it was made (JT/T 808 table 80). */
const CAUSES = ['command', 'timer', 'robbery', 'collision', 'door-opened', 'door-closed', 'speed-crossed', 'distance']

/** Numbers that have no name stay numbers. Without `bytes` there were more than `maxBytes`. */
export function mediaData({ body }: Of<'media-data'>, maxBytes: number): Data {
  const { id, type, format, event, channel, location, multimedia } = body
  return {
    media_id: id,
    kind: KINDS[type] ?? type,
    format: FORMATS[format] ?? format,
    cause: CAUSES[event] ?? event,
    channel,
    location: location === undefined ? undefined : locationData(location),
    size: multimedia.length,
    bytes: multimedia.length > maxBytes ? undefined : toBase64(multimedia),
  }
}

/** The message without its octets, for `native`. */
export function withoutBytes(message: Of<'media-data'>): Of<'media-data'> {
  return { ...message, body: { ...message.body, multimedia: new Uint8Array(0) } }
}
