/** What can be set, and the bounds, however the server is run. */
import * as z from 'zod'
import { DEFAULT_SETTINGS, type EndpointSettings } from '#stacks/coap/endpoint'
import { LONGEST_TOKEN_BYTES } from '#stacks/coap/message'
import type { ResponderSettings } from '#stacks/coap/responder'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_TRANSFERS = 16

export const plugtestConfig = z.strictObject({
  /** Largest block in either direction, in bytes. */
  blockSize: z.literal([16, 32, 64, 128, 256, 512, 1024]).default(1024),
  /** Largest request body, in bytes; larger ones get 4.13. */
  bodySize: z.int().min(1).max(MAX_BODY_BYTES).default(MAX_BODY_BYTES),
  /** Longest token, in bytes; longer ones are a format error. RFC 8974 */
  tokenSize: z.int().min(8).max(LONGEST_TOKEN_BYTES).default(8),
  /** Who must show that its address is its own. RFC 9175 */
  echo: z.enum(['off', 'amplification', 'always']).default('off'),
})

export type PlugtestConfig = z.output<typeof plugtestConfig>

export function endpointSettings({ tokenSize }: PlugtestConfig): EndpointSettings {
  return { ...DEFAULT_SETTINGS, maxTokenBytes: tokenSize }
}

export function responderSettings({ blockSize, bodySize, echo }: PlugtestConfig): ResponderSettings {
  return { blockwise: { maxBlockSize: blockSize, maxBodySize: bodySize, maxTransfers: MAX_TRANSFERS }, echo, qBlock: true }
}
