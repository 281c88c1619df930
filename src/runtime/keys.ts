/** HMAC and RSA for gateways: node:crypto behind the gateway contract. Key files are PEM and readable by their owner only. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Keys, RsaKey } from '../sdk.ts'

const OWNER_ONLY = 0o600

/** Where a gateway's own key pair is kept. */
export interface KeptKey {
  /** Its PEM; undefined when there is none yet. */
  read(): string | undefined
  write(pem: string): void
}

export function keyFile(path: string): KeptKey {
  return {
    read() {
      try {
        return readFileSync(path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    write(pem) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, pem, { mode: OWNER_ONLY, flag: 'wx' })
    },
  }
}

/** `folder`: where paths of key files start. */
export function gatewayKeys(kept: KeptKey, folder = ''): Keys {
  return {
    mac: (secret, text) => createHmac('sha256', secret).update(text).digest(),
    rsaKey: (bits, file) => rsaKey(given(file, folder) ?? kept.read() ?? made(kept, bits), bits),
    encrypt,
  }
}

function given(file: string | undefined, folder: string): string | undefined {
  return file === undefined || file.includes('-----BEGIN') ? file : readFileSync(resolve(folder, file), 'utf8')
}

function made(kept: KeptKey, bits: number): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  kept.write(pem)
  return pem
}

function rsaKey(pem: string, bits: number): RsaKey {
  const key = createPrivateKey(pem)
  const { n = '', e = '' } = key.export({ format: 'jwk' })
  const modulus = Buffer.from(n, 'base64url')
  if (key.asymmetricKeyType !== 'rsa' || 8 * modulus.length !== bits) throw new Error(`the key must be RSA of ${bits} bits`)
  return {
    exponent: Buffer.from(e, 'base64url').reduce((value, octet) => value * 256 + octet, 0),
    modulus,
    decrypt: (block) => decrypt(key, block),
  }
}

/** Leading octets of a block: 00 02 (RFC 8017 7.2.1). */
const PADDING_OCTETS = 8

/** The padding is taken off here, since Node.js 20 refuses to do so. */
function decrypt(key: KeyObject, block: Uint8Array): Uint8Array | undefined {
  let plain: Buffer
  try {
    plain = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, block)
  } catch {
    return undefined
  }
  const end = plain.indexOf(0, 2)
  return plain[0] === 0 && plain[1] === 2 && end >= 2 + PADDING_OCTETS ? plain.subarray(end + 1) : undefined
}

function encrypt(exponent: number, modulus: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  try {
    const e = Buffer.alloc(4)
    e.writeUInt32BE(exponent)
    const jwk = {
      kty: 'RSA',
      n: Buffer.from(modulus).toString('base64url'),
      e: e.subarray(e.findIndex((octet) => octet !== 0)).toString('base64url'),
    }
    return publicEncrypt({ key: createPublicKey({ key: jwk, format: 'jwk' }), padding: constants.RSA_PKCS1_PADDING }, data)
  } catch {
    return undefined
  }
}
