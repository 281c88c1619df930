/**
 * What a gateway may ask of the world beyond its devices: HTTP services, files, keys and a notebook. The gateway declares them, the
 * runtime does the work, and a session only sees a question and its answer, so that it stays pure.
 */

/** An HTTP service that a gateway declares under a name; `Link.ask` posts JSON to it. */
export interface Service {
  /** `http:` or `https:`. */
  readonly url: string
  /** From the question to the end of the answer, waiting for its turn included. */
  readonly timeoutMs: number
  /** Questions of this gateway that are under way at once; others wait their turn. */
  readonly maxConcurrent: number
  /** Questions that wait; further ones are answered `busy`. */
  readonly maxWaiting: number
  /** Octets of an answer's body; more is `too-large`. */
  readonly maxAnswerBytes: number
}

export type ServiceFailure = 'timeout' | 'unreachable' | 'too-large' | 'busy'

/** What a service said, whatever its status; or why it said nothing that can be used. */
export type Answer =
  | { readonly ok: true; readonly status: number; readonly text: string }
  | { readonly ok: false; readonly reason: ServiceFailure }

/** What a gateway may keep as files; the oldest give way. */
export interface FileLimits {
  /** Octets of all files of this gateway; what is larger than all of it is refused as `too-large`. */
  readonly maxTotalBytes: number
  /** A file that is older is deleted. */
  readonly maxAgeMs: number
}

/** `path` is relative to the data directory, with `/` between its levels. */
export type SaveOutcome =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: 'too-large' | 'busy' | 'disk-full' | 'failed' }

/** An RSA key pair whose private half never leaves the runtime. */
export interface RsaKey {
  readonly exponent: number
  /** Big-endian, without leading zeros. */
  readonly modulus: Uint8Array
  /** One block as long as the modulus, PKCS #1 v1.5 (RFC 8017 7.2.2); undefined when it is no such block. */
  decrypt(block: Uint8Array): Uint8Array | undefined
}

/**
 * Small values that a gateway instance keeps for itself, whatever becomes of its sessions; over a restart of the process
 * too, where the node has a store. What is sent after a change leaves only when the change is stored. The gateway bounds
 * what it notes.
 */
export interface Notebook {
  /** True: what is written outlives the process. */
  readonly isDurable: boolean
  read(key: string): string | undefined
  write(key: string, value: string): void
  erase(key: string): void
  entries(): Iterable<readonly [key: string, value: string]>
}

/** Cryptography that a gateway may use: everything answers at once. */
export interface Keys {
  /** HMAC-SHA-256 (RFC 2104): 32 octets. */
  mac(secret: string, text: string): Uint8Array
  /**
   * The key pair in this PEM file (a path from the data directory, or the PEM itself), or the gateway's own, which is made once and kept in the data directory. Throws when it cannot
   * be read, or has another length: the gateway then does not start.
   */
  rsaKey(bits: number, file: string | undefined): RsaKey
  /** One block for the holder of this public key, PKCS #1 v1.5 (RFC 8017 7.2.1); undefined when it is no key. */
  encrypt(exponent: number, modulus: Uint8Array, data: Uint8Array): Uint8Array | undefined
}
