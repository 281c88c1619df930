/** Why a wire closed, in the words of sessions. */
import type { CloseReason } from '../sdk.ts'
import type { WireCloseCause } from '../transport/wire.ts'

const REASONS: Readonly<Record<WireCloseCause, CloseReason>> = {
  peer: 'connection-lost',
  error: 'connection-lost',
  local: 'disconnected',
  congested: 'congested',
  idle: 'idle',
  malformed: 'protocol-error',
  'rate-limited': 'rate-limited',
  unavailable: 'unavailable',
}

export function reasonOf(cause: WireCloseCause): CloseReason {
  return REASONS[cause]
}
