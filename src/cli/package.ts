/** Where Omnigate itself lies, and its version; the same from the sources and from the compiled tree. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

const require = createRequire(import.meta.url)

export function packageRoot(): string {
  return dirname(require.resolve('omnigate/package.json'))
}

export function packageVersion(): string {
  const { version } = require('omnigate/package.json') as { version: string }
  return version
}
