/**
 * The store of one process: what sessions must keep over a restart, in a log under the data directory. Opened and read
 * before the broker core is made; from then on the core tells its journal, and the transports ask its gate.
 */
import { join } from 'node:path'
import type { Log as Logger } from '../sdk.ts'
import { Checkpoint, type Living } from './checkpoint.ts'
import { CommitGate } from './commit-gate.ts'
import { StoreJournal } from './journal.ts'
import { Log, type StoreError } from './log.ts'
import { Notebooks } from './notebooks.ts'
import { type Recovery, recover } from './restore.ts'

export type Durability = 'fsync' | 'os'

const FOLDER = 'store'
const SEGMENT_BYTES = 16 * 1024 * 1024
/** The log may hold this much that is dead before it is cleaned, and besides as much as is alive. */
const SLACK_BYTES = 64 * 1024 * 1024
/** Damages that are logged one by one. */
const MAX_LOGGED = 20

export interface StoreStatus {
  readonly bytes: number
  readonly segments: number
  readonly commits: number
  readonly failures: number
  readonly checkpoints: number
  readonly ready: boolean
}

export class Store {
  readonly gate: CommitGate
  readonly journal: StoreJournal
  readonly notebooks: Notebooks
  /** What an earlier process left; the core takes it. */
  readonly recovery: Recovery
  readonly #log: Log
  readonly #logger: Logger
  #living: Living | undefined = undefined
  #checkpoint: Checkpoint | undefined = undefined
  #checkpoints = 0
  /** The size above which the log is cleaned. */
  #limit = SLACK_BYTES
  #next: NodeJS.Immediate | undefined = undefined

  private constructor(log: Log, logger: Logger) {
    this.#log = log
    this.#logger = logger
    this.recovery = recover(log)
    this.gate = new CommitGate(log, {
      failed: (error) => this.#failed(error),
      recovered: () => logger.info({}, 'the store writes again'),
      committed: () => this.#committed(),
    })
    this.journal = new StoreJournal(log, this.gate, this.recovery.lastMessage, this.recovery.state.lastNumber)
    this.notebooks = new Notebooks(this.journal, this.recovery.notes)
    this.#report()
  }

  /** Opens what is under `dataDir`, or makes it. Throws StoreError. */
  static open(dataDir: string, durability: Durability, logger: Logger): Store {
    const log = Log.open(join(dataDir, FOLDER), { segmentBytes: SEGMENT_BYTES, sync: durability === 'fsync' })
    try {
      return new Store(log, logger)
    } catch (error) {
      log.close()
      throw error
    }
  }

  get status(): StoreStatus {
    const { commits, failures, ready } = this.gate
    const { bytes, head, oldest } = this.#log
    return { bytes, segments: head - oldest + 1, commits, failures, checkpoints: this.#checkpoints, ready }
  }

  /** The core has taken what was recovered: from now on the log is kept small. */
  start(living: Living): void {
    this.#living = living
  }

  /** Stores what is left and lets others have the directory. */
  close(): void {
    clearImmediate(this.#next)
    this.#living = undefined
    this.#checkpoint = undefined
    this.gate.stop()
    try {
      this.#log.close()
    } catch (error) {
      this.#failed(error as StoreError)
    }
  }

  /** Takes the next step to a log without what is dead. False when there is none left. Throws StoreError. */
  clean(): boolean {
    if (this.#living === undefined) return false
    this.#checkpoint ??= new Checkpoint(this.#log, this.journal, this.#living, this.notebooks.notes())
    const checkpoint = this.#checkpoint
    if (checkpoint.next()) return true
    this.#log.commit()
    while (checkpoint.drop());
    this.#checkpoints++
    this.#checkpoint = undefined
    this.#limit = SLACK_BYTES + 2 * checkpoint.written
    return false
  }

  #committed(): void {
    if (this.#next === undefined && this.#log.bytes >= this.#limit) this.#cleanOn()
  }

  /** Step by step: in between the process does its work. */
  #cleanOn(): void {
    this.#next = setImmediate(() => {
      this.#next = undefined
      if (!this.gate.ready) return // goes on after the next commit that succeeds
      try {
        if (this.clean()) this.#cleanOn()
      } catch (error) {
        this.#logger.warn({ error: (error as StoreError).message }, 'the store could not be cleaned; it will be tried again')
      }
    })
  }

  #failed(error: StoreError): void {
    this.#logger.error(
      { code: 'store-failing', path: error.path },
      `${error.message}. Messages and sessions that must be stored are refused until it writes again, all else goes on.`,
    )
  }

  #report(): void {
    const { damages, records, state } = this.recovery
    const sessions = [...state.sessions].length
    for (const { path, start, end, what } of damages.slice(0, MAX_LOGGED)) {
      this.#logger.error({ path, start, end, what }, 'a part of the store is damaged: what it held is lost, the rest is whole')
    }
    if (damages.length > MAX_LOGGED) this.#logger.error({ damages: damages.length }, 'more parts of the store are damaged')
    if (records > 0)
      this.#logger.info({ records, sessions, bytes: this.#log.bytes, damages: damages.length }, 'the store was read')
  }
}
