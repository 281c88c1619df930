/** Short ways to fill a log and to read it back. */
import type { Damage, Log } from '../../../src/store/log.ts'

export const DIRECTORY = '/data'

/** Answers the segment. */
export function append(log: Log, text: string): number {
  const at = log.reserve(Buffer.byteLength(text))
  return log.finish(log.buffer.write(text, at))
}

export interface Content {
  readonly texts: string[]
  readonly segments: number[]
  readonly damages: Damage[]
}

export function contentOf(log: Log): Content {
  const content: Content = { texts: [], segments: [], damages: [] }
  log.replay(
    (bytes, start, end, segment) => {
      content.texts.push(Buffer.from(bytes.subarray(start, end)).toString())
      content.segments.push(segment)
    },
    (damage) => content.damages.push(damage),
  )
  return content
}
