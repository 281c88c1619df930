/** Long messages that a simulated truck has sent and may have to send again, in parts. */
import type { Framed } from './frames.ts'

interface Upload {
  readonly sn: number
  /** Number of the media; undefined for other messages. */
  readonly mediaId: number | undefined
  readonly frames: readonly Framed[]
}

/** What waits for 0x8800, or may be asked for with 0x8003; beyond this the oldest is forgotten. */
const MAX_UPLOADS = 8

export class Uploads {
  readonly #uploads: Upload[] = []

  get pending(): number {
    return this.#uploads.length
  }

  add(frames: readonly Framed[], mediaId?: number): void {
    this.#uploads.push({ sn: frames[0]?.sn ?? 0, mediaId, frames })
    if (this.#uploads.length > MAX_UPLOADS) this.#uploads.shift()
  }

  /** 0x8800: the frames that the platform lacks. True: it has all of that media. */
  media(mediaId: number, missing: readonly number[]): readonly Framed[] | true | undefined {
    const at = this.#uploads.findIndex((upload) => upload.mediaId === mediaId)
    const upload = this.#uploads[at]
    if (upload === undefined) return undefined
    if (missing.length > 0) return pick(upload, missing)
    this.#uploads.splice(at, 1)
    return true
  }

  /** 0x8003: the frames that the platform lacks of the message whose first part had this number. */
  parts(sn: number, missing: readonly number[]): readonly Framed[] {
    const upload = this.#uploads.find((one) => one.sn === sn)
    return upload === undefined ? [] : pick(upload, missing)
  }

  clear(): void {
    this.#uploads.length = 0
  }
}

function pick({ frames }: Upload, parts: readonly number[]): Framed[] {
  return parts.flatMap((part) => frames[part - 1] ?? [])
}
