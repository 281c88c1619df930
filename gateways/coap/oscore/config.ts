/** Security contexts that devices were given beforehand: RFC 8613 3.2, 3.3. Octets are written in hexadecimal. */
import * as z from 'zod'
import { fromHex, toHex } from '#bytes/hex'
import { AEAD_ALGORITHMS, type AeadName, DEFAULT_AEAD, maxIdBytes } from '#stacks/coap/oscore/algorithms'

const ALGORITHM_NAMES = Object.keys(AEAD_ALGORITHMS) as [AeadName, ...AeadName[]]

/** What 128 random bits take. RFC 8613 3.3: a secret must not be guessed. */
const MIN_SECRET_BYTES = 16
const MAX_BYTES = 255

function octets(title: string, description: string, minBytes = 0) {
  return z
    .string()
    .min(2 * minBytes)
    .max(2 * MAX_BYTES)
    .regex(/^([0-9a-fA-F]{2})*$/, 'write pairs of hexadecimal digits')
    .transform((digits) => fromHex(digits) ?? new Uint8Array(0))
    .meta({ title, description: `${description}, in hexadecimal`, 'x-reload': 'gateway' })
}

function text(title: string, description: string) {
  return z.string().min(1).max(65_535).meta({ title, description, 'x-reload': 'gateway' })
}

const context = z
  .strictObject({
    clientId: text(
      'Client id',
      'Whose context it is: requests protected by it are of this client, and it has to protect all of them',
    ),
    username: text('User name', 'Credentials of the client towards the broker, where the device names none').optional(),
    password: text('Password', 'Credentials of the client towards the broker, where the device names none')
      .meta({ writeOnly: true })
      .optional(),
    senderId: octets('Sender ID', "The gateway's id, the device's Recipient ID"),
    recipientId: octets('Recipient ID', "The device's id, its Sender ID"),
    idContext: octets('ID Context', 'Tells contexts with the same ids apart', 1).optional(),
    masterSecret: octets('Master Secret', 'What all keys are derived from', MIN_SECRET_BYTES).meta({ writeOnly: true }),
    masterSalt: octets('Master Salt', 'Goes into the derivation').prefault(''),
    algorithm: z
      .enum(ALGORITHM_NAMES)
      .default(DEFAULT_AEAD)
      .meta({ title: 'AEAD algorithm', description: 'Keys are derived by HKDF with SHA-256', 'x-reload': 'gateway' }),
  })
  .superRefine(({ senderId, recipientId, algorithm }, issues) => {
    const most = maxIdBytes(AEAD_ALGORITHMS[algorithm])
    for (const [path, id] of Object.entries({ senderId, recipientId })) {
      if (id.length > most) issues.addIssue({ code: 'custom', path: [path], message: `at most ${most} octets with ${algorithm}` })
    }
    if (toHex(senderId) === toHex(recipientId)) {
      issues.addIssue({ code: 'custom', path: ['recipientId'], message: 'the ids of the two sides differ' })
    }
  })
  .meta({ title: 'Security context', description: 'RFC 8613 3' })

export type ContextConfig = z.output<typeof context>

/** Names the context that a request is protected in. RFC 8613 8.2 */
export function contextName({ recipientId, idContext }: Pick<ContextConfig, 'recipientId' | 'idContext'>): string {
  return idContext === undefined ? toHex(recipientId) : `${toHex(recipientId)} ${toHex(idContext)}`
}

export const oscore = z
  .array(context)
  .superRefine((contexts, issues) => {
    const names = contexts.map(contextName)
    for (const [i, name] of names.entries()) {
      if (names.indexOf(name) === i) continue
      issues.addIssue({
        code: 'custom',
        path: [i, 'recipientId'],
        message: 'another context has this recipient id and ID context',
      })
    }
  })
  .default([])
  .meta({
    title: 'OSCORE',
    description: 'Security contexts of devices, RFC 8613; needs a store that outlives the process',
    'x-reload': 'gateway',
  })
