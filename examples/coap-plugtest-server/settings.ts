/** What the server's bounds are, however it is run. */
import type { EchoPolicy } from '#stacks/coap/echo'
import type { ResponderSettings } from '#stacks/coap/responder'

export const DEFAULT_BLOCK_SIZE = 1024

export const MAX_BODY_SIZE = 1024 * 1024

export function responderSettings(maxBlockSize: number, echo: EchoPolicy, maxBodySize = MAX_BODY_SIZE): ResponderSettings {
  return { blockwise: { maxBlockSize, maxBodySize, maxTransfers: 16 }, echo }
}
