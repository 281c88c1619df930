/**
 * Pictures, sound and video as events: what they are in words, and their octets as base64 where they are not too many; else a file
 * holds them and the event names it.
 */
import type { SaveOutcome } from '#sdk'
import { toBase64 } from './codec/declare/field.ts'
import type { Of } from './codec/index.ts'
import { utcDigits } from './codec/time.ts'
import type { Config } from './config.ts'
import { type Data, locationData } from './topics.ts'

const KINDS = ['image', 'audio', 'video']
const FORMATS = ['jpeg', 'tif', 'mp3', 'wav', 'wmv']
/** Why it was made (JT/T 808 table 80). */
const CAUSES = ['command', 'timer', 'robbery', 'collision', 'door-opened', 'door-closed', 'speed-crossed', 'distance']

/** Numbers that have no name stay numbers. Without `bytes` there were more than `maxMediaBytes`. */
export function mediaData({ body }: Of<'media-data'>, { maxMediaBytes, coordinates }: Config, saved?: SaveOutcome): Data {
  const { id, type, format, event, channel, location, multimedia } = body
  return {
    media_id: id,
    kind: KINDS[type] ?? type,
    format: FORMATS[format] ?? format,
    cause: CAUSES[event] ?? event,
    channel,
    location: location === undefined ? undefined : locationData(location, coordinates),
    size: multimedia.length,
    bytes: multimedia.length > maxMediaBytes ? undefined : toBase64(multimedia),
    ...savedData(saved),
  }
}

/** Where the file is, or why there is none. */
export function savedData(saved: SaveOutcome | undefined): Data {
  if (saved === undefined) return {}
  return saved.ok ? { file: saved.path } : { file_error: saved.reason }
}

/** Folders and name of its file: `{phone}/{id}-{YYMMDDhhmmss}.{format}`, at UTC. */
export function mediaPath({ header, body }: Of<'media-data'>, now: number): string[] {
  return [header.phone, `${body.id}-${utcDigits(now)}.${FORMATS[body.format] ?? 'bin'}`]
}

/** The message without its octets, for `native`. */
export function withoutBytes(message: Of<'media-data'>): Of<'media-data'> {
  return { ...message, body: { ...message.body, multimedia: new Uint8Array(0) } }
}
