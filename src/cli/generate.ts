/**
 * Writes what is derived from the code: specs/generated/config.schema.json, and the documents that a gateway's folder makes from
 * its declarations (`documents.ts`: text by path below specs). CI runs it and expects no difference.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { configJsonSchema } from '../config/json-schema.ts'
import { Registry } from '../runtime/registry.ts'
import { packageRoot } from './package.ts'
import { formatSchema, importInstalled } from './schema.ts'

const registry = new Registry()
const { installed, faults } = await importInstalled(registry, packageRoot())
// A schema without one of the gateways would look like a gateway that was removed.
if (faults.length > 0) throw new Error(`cannot generate: ${faults.join('; ')}`)
await write('generated/config.schema.json', `${formatSchema(configJsonSchema(installed))}\n`)
for (const name of await registry.names()) {
  const file = fileURLToPath(new URL(`../../gateways/${name}/documents.js`, import.meta.url))
  if (!existsSync(file)) continue
  const { documents } = (await import(pathToFileURL(file).href)) as { documents: Readonly<Record<string, string>> }
  for (const [path, text] of Object.entries(documents)) await write(path, text)
}

/** `path` below specs. */
async function write(path: string, text: string): Promise<void> {
  const file = join(packageRoot(), 'specs', path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
