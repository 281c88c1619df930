/** Where the bench's own programs and the product lie, whether it runs compiled or from source. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import type { GatewayModule } from '../../src/sdk.ts'

/** A program of the bench: `load/main` to the file to run, with the same extension as this one. */
export function benchProgram(name: string): string {
  return join(import.meta.dirname, `${name}${extname(import.meta.filename)}`)
}

/** A gateway of the product; a deleted one is no module, and throws. */
export async function gatewayModule(name: string): Promise<GatewayModule> {
  const path = new URL(`../../gateways/${name}/index${extname(import.meta.filename)}`, import.meta.url)
  return ((await import(path.href)) as { default: GatewayModule }).default
}

/** What the product's first line, as `npm start` too, tells Node.js. */
export function productFlags(): string[] {
  const [first = ''] = readFileSync(productEntry(), 'utf8').split('\n', 1)
  return first.split(' ').filter((word) => word.startsWith('--'))
}

/** The compiled product's entry, found from the nearest package.json upwards. */
export function productEntry(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('no package.json above the bench')
    folder = parent
  }
  return join(folder, 'dist', 'src', 'main.js')
}
