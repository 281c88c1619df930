/** What a process needs when it has tidied up. Needs node --expose-gc. */
import { rssKb } from '../proc.ts'

/** Resident size in KiB after full collections. */
export function settledRssKb(): number {
  if (globalThis.gc === undefined) throw new Error('needs node --expose-gc')
  for (let i = 0; i < 3; i++) globalThis.gc()
  return rssKb(process.pid)
}
