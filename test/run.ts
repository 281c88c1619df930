/**
 * Runs the compiled tests: `node dist/test/run.js [filter ...] [--long] [--list]`.
 *
 * A test is a `*.test.js` under `dist` whose source still exists. A filter is part of a path (`unit`, `gateways/tcp`);
 * with several, a file that contains any of them runs. `*.long.test.js` runs only with `--long`.
 * Exits with 1 when a test fails, when a file holds no test, and when there is nothing to run.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FOLDERS = ['test', 'gateways', 'src', 'examples']
const CONCURRENCY = 2
/** Of each codec and gateway, where a longer fuzz run is wanted. */
const FUZZ_SECONDS = Number(process.env['OMNIGATE_FUZZ_SECONDS'] ?? 0)
/** A file that takes longer hangs, or left something open; the run is aborted, and names it. */
const FILE_TIMEOUT_MS = 240_000 + FUZZ_SECONDS * 20_000

const dist = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dist)

function testFiles(): string[] {
  const found: string[] = []
  for (const folder of FOLDERS) {
    const path = join(dist, folder)
    if (!existsSync(path)) continue
    for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      if (entry.endsWith('.test.js')) found.push(join(path, entry))
    }
  }
  return found.sort()
}

/** The name people use: the source's path, relative to the project. */
function sourceOf(file: string): string {
  return relative(dist, file).split(sep).join('/').replace(/\.js$/, '.ts')
}

const { values: flags, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
})

const files = testFiles().filter((file) => {
  const source = sourceOf(file)
  if (!existsSync(join(root, source))) return false
  if (!flags.long && source.endsWith('.long.test.ts')) return false
  return filters.length === 0 || filters.some((filter) => source.includes(filter))
})

if (flags.list) {
  for (const file of files) console.log(sourceOf(file))
  process.exit(0)
}
if (files.length === 0) {
  console.error(filters.length > 0 ? `no test matches ${filters.join(', ')}` : 'no tests found: run `npm run build` first')
  process.exit(1)
}

const totals = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
const failed: string[] = []
const empty: string[] = []
const skipped: string[] = []

process.exitCode = 1 // until everything has passed
const abort = new AbortController()
const watchdogs = new Map<string, NodeJS.Timeout>()
const stream = run({ files, concurrency: CONCURRENCY, signal: abort.signal })
stream.on('test:dequeue', ({ name }) => {
  if (!files.includes(name)) return
  const expire = () => {
    failed.push(`${sourceOf(name)}: not finished after ${FILE_TIMEOUT_MS / 1000} s`)
    abort.abort()
  }
  watchdogs.set(name, setTimeout(expire, FILE_TIMEOUT_MS))
})
// Node.js sends this event since 20.12; its type declarations for 20 do not have it.
stream.on('test:complete' as 'test:pass', ({ name }) => clearTimeout(watchdogs.get(name)))
stream.on('test:pass', ({ name, nesting, skip }) => {
  // A file without tests is reported as one test that bears the file's name.
  if (nesting === 0 && files.includes(name)) empty.push(sourceOf(name))
  if (skip !== undefined) skipped.push(`${name}${typeof skip === 'string' ? `: ${skip}` : ''}`)
})
stream.on('test:fail', ({ name, file }) => {
  failed.push(file === undefined || file === name ? sourceOf(name) : `${sourceOf(file)} :: ${name}`)
})
stream.on('test:diagnostic', ({ nesting, message }) => {
  const [word, count] = message.split(' ')
  if (nesting === 0 && word !== undefined && word in totals) totals[word as keyof typeof totals] = Number(count)
})
stream.compose(new spec()).pipe(process.stdout)
stream.on('end', () => {
  const clean = failed.length === 0 && empty.length === 0 && totals.fail === 0 && totals.cancelled === 0
  if (clean && totals.tests > 0) process.exitCode = 0
})

process.on('exit', () => {
  for (const name of skipped) console.log(`skipped: ${name}`)
  for (const name of empty) console.log(`holds no test: ${name}`)
  for (const name of failed) console.log(`failed: ${name}`)
  console.log(`# files ${files.length}`)
  for (const [name, count] of Object.entries(totals)) console.log(`# ${name} ${count}`)
})
