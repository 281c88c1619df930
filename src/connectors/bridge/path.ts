/**
 * The way of a message over bridges, in its user properties (MQTT 5): each process that sends it on adds its mark. One that finds its
 * own mark has sent the message before, so that rings of brokers end after one round, also with brokers of other make in between.
 * A mark is for one topic: who answers with the properties of the question sends something new.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Properties } from '../../sdk.ts'

const PATH = 'omnigate-bridge'
/** A message that has come over more bridges than this goes no further: its way grows by a property each. */
const MAX_HOPS = 16
const MARK_LENGTH = 12

type UserProperties = NonNullable<Properties['userProperties']>

/** What one process writes and knows again. Names of nodes need not differ. */
class BridgePath {
  readonly #key = randomBytes(16)

  /** With the mark of a message that leaves this broker, where it is called `topic`. */
  withMark(topic: string, userProperties: UserProperties = []): UserProperties {
    return [...userProperties, [PATH, this.#mark(topic)]]
  }

  /** True for a message that left as `topic` before and would come back as it, or that has come too far. */
  isLooped(topic: string, userProperties: UserProperties = []): boolean {
    const path = userProperties.filter(([name]) => name === PATH)
    if (path.length === 0) return false
    const own = this.#mark(topic)
    return path.length >= MAX_HOPS || path.some(([, mark]) => mark === own)
  }

  #mark(topic: string): string {
    return createHmac('sha256', this.#key).update(topic).digest('base64url').slice(0, MARK_LENGTH)
  }
}

/** That of this process. */
export const ownPath = new BridgePath()
