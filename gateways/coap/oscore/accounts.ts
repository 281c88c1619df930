/**
 * Devices that protect their requests, by their security contexts. What must survive a restart is noted: how far the
 * sequence numbers are reserved (RFC 8613 B.1.1), and at an orderly end what was seen of the peer's. Without that the
 * context asks for a fresh request first (B.1.2).
 */
import { toHex } from '#bytes/hex'
import type { Crypto, Notebook } from '#sdk'
import { encodeCbor } from '#stacks/coap/cbor'
import { type ContextInput, SecurityContext } from '#stacks/coap/oscore/context'
import { deriveKey } from '#stacks/coap/oscore/key-derivation'
import type { SeenNumbers } from '#stacks/coap/oscore/replay-window'
import { type ContextConfig, contextName } from './config.ts'

/** Who speaks in a security context. */
export interface Account {
  readonly name: string
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly context: SecurityContext
}

/** What is noted of a context. */
interface ContextNote {
  /** The first sequence number that may not have been used. */
  readonly next: number
  /** Only while nobody uses the context. */
  readonly seen?: SeenNumbers
}

const NOTE_KEY_BYTES = 16

export class Accounts {
  readonly #notebook: Notebook
  readonly #byRecipient = new Map<string, Account[]>()
  readonly #byContext = new Map<SecurityContext, Account>()
  readonly #clientIds = new Set<string>()
  readonly #noteKeys = new Map<SecurityContext, string>()

  /** Throws where nothing outlives the process: sequence numbers would be used twice, which gives the keys away. */
  constructor(contexts: readonly ContextConfig[], crypto: Crypto, notebook: Notebook) {
    if (contexts.length > 0 && !notebook.isDurable) {
      throw new Error('oscore needs a store, or its keys would be given away by a restart: set node.durability to os or fsync')
    }
    this.#notebook = notebook
    for (const config of contexts) this.#open(config, crypto)
  }

  get size(): number {
    return this.#byContext.size
  }

  /** RFC 8613 8.2, 5.1: the context of this id, and of this ID context where the request names one. */
  find(kid: Uint8Array, kidContext: Uint8Array | undefined): SecurityContext | undefined {
    const candidates = this.#byRecipient.get(toHex(kid)) ?? []
    const wanted = kidContext === undefined ? undefined : toHex(kidContext)
    const exact = candidates.find(
      ({ context: { idContext } }) => (idContext === undefined ? undefined : toHex(idContext)) === wanted,
    )
    // A device may leave its ID context out where it is clear.
    return (exact ?? (wanted === undefined && candidates.length === 1 ? candidates[0] : undefined))?.context
  }

  of(context: SecurityContext): Account | undefined {
    return this.#byContext.get(context)
  }

  /** True when this client protects its requests, so that nobody may speak for it without. */
  claims(clientId: string): boolean {
    return this.#clientIds.has(clientId)
  }

  close(): void {
    for (const { context } of this.#byContext.values()) {
      const { nextSequence, replays } = context
      this.#note(context, { next: nextSequence, ...(!replays.isLost && { seen: replays.state }) })
    }
  }

  #open(config: ContextConfig, crypto: Crypto): void {
    const key = noteKey(config, crypto)
    const known = this.#notebook.read(key)
    // Keys that were never used: nothing can be a replay.
    const note = known === undefined ? { next: 0, seen: undefined } : (JSON.parse(known) as ContextNote)
    const input: ContextInput = {
      ...config,
      nextSequence: note.next,
      seen: note.seen ?? (known === undefined ? undefined : 'lost'),
      reserve: (end) => this.#note(context, { next: end }),
    }
    const context: SecurityContext = new SecurityContext(input, crypto)
    const { clientId, username, password } = config
    const account = { name: contextName(config), clientId, username, password, context }
    this.#noteKeys.set(context, key)
    this.#byContext.set(context, account)
    this.#clientIds.add(clientId)
    const recipient = toHex(config.recipientId)
    this.#byRecipient.set(recipient, [...(this.#byRecipient.get(recipient) ?? []), account])
    // From the first request on what was seen is known here alone.
    this.#note(context, { next: note.next })
  }

  #note(context: SecurityContext, note: ContextNote): void {
    this.#notebook.write(this.#noteKeys.get(context) as string, JSON.stringify(note))
  }
}

/** Changes with the keys, and says nothing of them. */
function noteKey(
  { senderId, recipientId, idContext, masterSecret, masterSalt, algorithm }: ContextConfig,
  crypto: Crypto,
): string {
  const info = encodeCbor([senderId, recipientId, idContext ?? null, algorithm, 'note'])
  return `oscore ${toHex(deriveKey(crypto, masterSecret, masterSalt, info, NOTE_KEY_BYTES))}`
}
