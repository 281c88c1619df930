/** Checks that what a module exports is a gateway's manifest, before anything relies on it. */
import { ownJsonSchema } from '../config/json-schema.ts'
import { isRecord } from '../config/path.ts'
import { INSTANCE_KEYS, TRANSPORTS } from '../config/schema.ts'
import type { GatewayModule } from '../sdk.ts'

const NAME = /^[a-z][a-z0-9-]{0,63}$/
const MAX_PORT = 65_535

/** What is wrong with it; undefined when it is a manifest. `folder` is the name that its folder promises. */
export function manifestFault(value: unknown, folder: string | undefined): string | undefined {
  if (!isRecord(value)) return value === undefined ? 'there is no default export' : 'the default export is no object'
  const { name } = value
  if (typeof name !== 'string' || !NAME.test(name)) return '`name` must be lower-case letters, digits and hyphens'
  if (folder !== undefined && name !== folder) return `\`name\` is "${name}", but the folder is "${folder}"`
  for (const key of ['title', 'spec']) {
    if (typeof value[key] !== 'string' || value[key] === '') return `\`${key}\` must be a non-empty string`
  }
  if (typeof value['create'] !== 'function') return '`create` must be a function'
  return transportsFault(value) ?? configFault(value)
}

function transportsFault(manifest: Record<string, unknown>): string | undefined {
  const { transports, listeners } = manifest
  const known = `one of ${TRANSPORTS.join(', ')}`
  if (!Array.isArray(transports) || transports.length === 0)
    return `\`transports\` must be a list that is not empty, each ${known}`
  const odd = transports.find((transport) => !isTransport(transport))
  if (odd !== undefined) return `\`transports\` holds ${JSON.stringify(odd)}; each must be ${known}`
  if (!Array.isArray(listeners)) return '`listeners` must be a list of { type, port }'
  for (const [index, listener] of listeners.entries()) {
    const at = `\`listeners[${index}]\``
    if (!isRecord(listener)) return `${at} must be { type, port }`
    const { type, port, path } = listener
    if (!transports.includes(type)) return `${at}.type must be one of \`transports\``
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > MAX_PORT)
      return `${at}.port must be 0 to ${MAX_PORT}`
    if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/'))) return `${at}.path must begin with "/"`
  }
  const misnamed = ['subprotocols', 'applicationProtocols'].find((key) => !isNames(manifest[key]))
  return misnamed === undefined ? undefined : `\`${misnamed}\` must be a list of strings`
}

function isNames(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((name) => typeof name === 'string'))
}

function configFault(value: Record<string, unknown>): string | undefined {
  const { config } = value
  // A schema may be a function with properties, in some libraries.
  const isHolder = (typeof config === 'object' && config !== null) || typeof config === 'function'
  const standard = isHolder ? (config as Record<string, unknown>)['~standard'] : undefined
  const isStandard = isRecord(standard) && standard['version'] === 1 && typeof standard['validate'] === 'function'
  if (!isStandard) return '`config` must be a Standard Schema, version 1'
  const properties = ownJsonSchema(value as unknown as GatewayModule)?.['properties']
  const common = isRecord(properties) ? INSTANCE_KEYS.find((key) => Object.hasOwn(properties, key)) : undefined
  return common === undefined ? undefined : `its \`config\` defines "${common}", which every gateway has already`
}

function isTransport(value: unknown): boolean {
  return (TRANSPORTS as readonly unknown[]).includes(value)
}
