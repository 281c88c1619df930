/** What gateway instances note for themselves: in memory, and in the log where there is one. */
import type { Notebook } from '../sdk.ts'

export interface Note {
  /** Name of the gateway instance. */
  readonly gateway: string
  readonly key: string
  readonly value: string
}

/** Where notes outlive the process. */
export interface NoteJournal {
  /** `undefined` erases. */
  noted(gateway: string, key: string, value: string | undefined): void
}

export class Notebooks {
  readonly #byGateway = new Map<string, Map<string, string>>()
  readonly #journal: NoteJournal | undefined

  /** `kept`: what an earlier process noted. */
  constructor(journal?: NoteJournal, kept: Iterable<Note> = []) {
    this.#journal = journal
    for (const { gateway, key, value } of kept) this.#pages(gateway).set(key, value)
  }

  of(gateway: string): Notebook {
    const pages = this.#pages(gateway)
    const journal = this.#journal
    return {
      isDurable: journal !== undefined,
      read: (key) => pages.get(key),
      write: (key, value) => {
        pages.set(key, value)
        journal?.noted(gateway, key, value)
      },
      erase: (key) => {
        if (pages.delete(key)) journal?.noted(gateway, key, undefined)
      },
      entries: () => pages.entries(),
    }
  }

  *notes(): Generator<Note, undefined> {
    for (const [gateway, pages] of this.#byGateway) for (const [key, value] of pages) yield { gateway, key, value }
  }

  #pages(gateway: string): Map<string, string> {
    let pages = this.#byGateway.get(gateway)
    if (pages === undefined) {
      pages = new Map()
      this.#byGateway.set(gateway, pages)
    }
    return pages
  }
}
