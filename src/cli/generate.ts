/** Writes what is derived from the schemas: specs/generated/config.schema.json. CI runs it and expects no difference. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configJsonSchema } from '../config/json-schema.ts'
import { Registry } from '../runtime/registry.ts'
import { packageRoot } from './package.ts'
import { formatSchema, importInstalled } from './schema.ts'

const { installed, faults } = await importInstalled(new Registry(), packageRoot())
// A schema without one of the gateways would look like a gateway that was removed.
if (faults.length > 0) throw new Error(`cannot generate: ${faults.join('; ')}`)
const folder = join(packageRoot(), 'specs', 'generated')
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'config.schema.json'), `${formatSchema(configJsonSchema(installed))}\n`)
