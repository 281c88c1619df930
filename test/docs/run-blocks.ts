/**
 * Runs the marked commands of one document: `node dist/test/docs/run-blocks.js README.md`. They run in a copy of the
 * project, so that `npm start` may build, with `omnigate` on the PATH. Prints each block's place; ends with 1 at the
 * first that does not do what the document says.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Daemon, run } from '../support/process.ts'
import { inProject, readText } from '../support/project.ts'
import { filesUnder } from '../support/source-tree.ts'
import type { Block } from './blocks.ts'
import { blocksOf, outputFault } from './blocks.ts'

const BLOCK_TIMEOUT_MS = 60_000
const POLL_MS = 50

function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'omnigate-docs-'))
  for (const path of filesUnder('')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(inProject(path), join(copy, path))
  }
  cpSync(inProject('dist'), join(copy, 'dist'), { recursive: true })
  symlinkSync(inProject('node_modules'), join(copy, 'node_modules'))
  const bin = join(copy, '.docs-bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'omnigate'), `#!/bin/sh\nexec node '${copy}/dist/src/main.js' "$@"\n`, { mode: 0o755 })
  return copy
}

const document = process.argv[2] ?? 'README.md'
const blocks = blocksOf(document, readText(document))
const copy = copyOfProject()
const options = {
  cwd: copy,
  timeoutMs: BLOCK_TIMEOUT_MS,
  env: { PATH: `${copy}/.docs-bin:${process.env['PATH']}`, NO_COLOR: '1' },
}
const daemons: Daemon[] = []

async function runForeground({ place, commands, output }: Block): Promise<void> {
  const result = await run('bash', ['-euo', 'pipefail', '-c', commands], options)
  if (result.code !== 0) throw new Error(`${place}: ended with ${result.code}\n${result.stdout}${result.stderr}`)
  const fault = output === undefined ? undefined : outputFault(output, result.stdout)
  if (fault !== undefined) throw new Error(`${place}: ${fault}\n${result.stdout}${result.stderr}`)
}

/** What the document shows must appear; more may follow later. */
async function runBackground({ place, commands, output }: Block): Promise<void> {
  const daemon = new Daemon('bash', ['-euo', 'pipefail', '-c', `exec ${commands}`], /./, options)
  daemons.push(daemon)
  await daemon.ready
  if (output === undefined) return
  const wanted = `${output.trimEnd()}\n...`
  for (let waitedMs = 0; outputFault(wanted, daemon.output) !== undefined; waitedMs += POLL_MS) {
    if (waitedMs > BLOCK_TIMEOUT_MS) throw new Error(`${place}: ${outputFault(wanted, daemon.output)}\n${daemon.output}`)
    await pause(POLL_MS)
  }
}

try {
  for (const block of blocks) {
    await (block.background ? runBackground(block) : runForeground(block))
    console.log(`ok  ${block.place}`)
  }
} catch (error) {
  console.error((error as Error).message)
  for (const daemon of daemons) console.error(`in the background:\n${daemon.output}`)
  process.exitCode = 1
} finally {
  for (const daemon of daemons) await daemon.stop()
  rmSync(copy, { recursive: true, force: true })
}
