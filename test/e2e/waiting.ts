/** Waiting for what other processes do: tried again at short intervals, and given up in the end. */
import { setTimeout as pause } from 'node:timers/promises'

/** Long enough for a slow machine under load; nothing is asserted about how soon something happens. */
export const PATIENCE_MS = 20_000
const POLL_MS = 10

/** The first answer of `condition` that is neither undefined nor false. Rejects with `what` when none comes in time. */
export async function until<T>(
  what: string | (() => string),
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const answer = await condition()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) {
      throw new Error(`not within ${patienceMs / 1000} s: ${typeof what === 'string' ? what : what()}`)
    }
    await pause(POLL_MS)
  }
}

/** `promise`, or a rejection with `what` when it takes too long. */
export async function within<T>(what: string, promise: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const abort = new AbortController()
  const late = pause(patienceMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`not within ${patienceMs / 1000} s: ${what}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    abort.abort()
  }
}
