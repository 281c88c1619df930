/** What one gateway instance counts. Hot ones are plain numbers; the rest have names. */
export class GatewayCounters {
  bytesIn = 0
  bytesOut = 0
  /** Payloads of messages. */
  payloadIn = 0
  payloadOut = 0
  messagesIn = 0
  messagesOut = 0
  /** Sessions opened: stream connections, datagram peers, branches. */
  sessions = 0
  /** Throws inside sessions, caught by the host. */
  faults = 0
  readonly malformed = new Map<string, number>()
  readonly named = new Map<string, number>()
  readonly closed = new Map<string, number>()

  add(counters: Map<string, number>, name: string, by = 1): void {
    counters.set(name, (counters.get(name) ?? 0) + by)
  }
}
