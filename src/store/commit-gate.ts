/**
 * Write-ahead, at the only place where it cannot be forgotten: output that was made after something was recorded leaves
 * the process when the record is stored. Whatever a loop turn recorded is stored by one commit, and then its output
 * goes. Where the commit fails, the connections whose output waited are cut: their peers connect and send again.
 */
import type { StoreError } from './store-error.ts'

/** Output that waits; `flush` sends it if `open` says so. */
export interface Output {
  flush(): void
}

export interface Storage {
  readonly pending: number
  /** Throws StoreError and keeps everything pending. */
  commit(): void
}

export interface GateEvents {
  /** The store has stopped to write; tried again until `recovered`. */
  failed(error: StoreError): void
  recovered(): void
  /** Everything recorded is stored. */
  committed(): void
}

/** How long a store that failed is left alone. */
const RETRY_MS = 1000

export class CommitGate {
  /** Something was recorded on which output may depend. */
  closed = false
  /** False while the store does not write. */
  ready = true
  commits = 0
  failures = 0
  readonly #storage: Storage
  readonly #events: GateEvents
  #waiting: Output[] = []
  #scheduled: NodeJS.Immediate | undefined = undefined
  /** The commit failed: nothing that waits may leave, until the next loop turn. */
  #refused = false
  /** Something was recorded since. */
  #closedAgain = false
  #retry: NodeJS.Timeout | undefined = undefined

  constructor(storage: Storage, events: GateEvents) {
    this.#storage = storage
    this.#events = events
  }

  /** Something was recorded: whatever is sent from now on waits for it. */
  close(): void {
    this.closed = true
    this.#closedAgain = true
    this.touch()
  }

  /** Something was recorded that may be lost with the process: nothing waits for it. */
  touch(): void {
    this.#scheduled ??= setImmediate(() => this.#turn())
  }

  /** `output.flush` is called at the end of the loop turn. */
  postpone(output: Output): void {
    this.#waiting.push(output)
    this.touch()
  }

  /** Stores what was recorded, now. False: it cannot be stored, and nothing that waits for it may leave. */
  open(): boolean {
    if (!this.closed) return true
    if (this.#refused) return false
    if (this.ready && this.#commit()) {
      this.closed = false
      return true
    }
    this.#refused = true
    this.#closedAgain = false
    // Not before all that this turn sends was asked for, also where it began before its immediates.
    setImmediate(() => setImmediate(() => this.#forget()))
    return false
  }

  /** Stops trying; what can be stored is. */
  stop(): void {
    clearTimeout(this.#retry)
    clearImmediate(this.#scheduled)
    this.#turn()
    clearTimeout(this.#retry)
  }

  #turn(): void {
    this.#scheduled = undefined
    if (this.closed) this.open()
    else if (this.ready && this.#storage.pending > 0) this.#commit()
    const waiting = this.#waiting
    this.#waiting = []
    for (const output of waiting) output.flush()
  }

  /** What waited has been cut. */
  #forget(): void {
    this.#refused = false
    this.closed = this.#closedAgain
    if (this.closed) this.touch()
  }

  #commit(): boolean {
    try {
      this.#storage.commit()
    } catch (error) {
      this.failures++
      if (this.ready) this.#events.failed(error as StoreError)
      this.ready = false
      this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS)
      this.#retry.unref()
      return false
    }
    this.commits++
    if (!this.ready) {
      this.ready = true
      this.#events.recovered()
    }
    this.#events.committed()
    return true
  }

  #tryAgain(): void {
    this.#commit()
  }
}
