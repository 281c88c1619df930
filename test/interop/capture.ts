/** What goes over the loopback interface while something happens, read by Wireshark's dissectors. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Child } from '../e2e/child.ts'
import { run } from '../support/process.ts'
import { program } from './program.ts'

/** Captures the packets of these ports while `traffic` runs; resolves with a reader of what was captured. */
export async function capture(ports: readonly number[], traffic: () => Promise<void>, t: TestContext): Promise<Capture> {
  const folder = mkdtempSync(join(tmpdir(), 'omnigate-capture-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'packets.pcapng')
  const marker = createSocket('udp4')
  t.after(() => marker.close())
  await new Promise<void>((resolve) => marker.bind(0, '127.0.0.1', resolve))
  const end = marker.address().port
  const filter = [...ports, end].map((port) => `port ${port}`).join(' or ')
  const args = ['-n', '-l', '-P', '-i', 'lo', '-f', filter, '-w', file]
  const shark = new Child(program('tshark'), args, {}, t)
  await shark.line(/^Capturing on/)
  await traffic()
  // Packets are shown in the order in which they came: once it has shown this one, it has all that came before.
  marker.send('end', end, '127.0.0.1')
  await shark.line(new RegExp(`UDP .* ${end} . ${end} `))
  await shark.stop('SIGINT')
  return new Capture(file)
}

export class Capture {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** The packets that a display filter selects, one line each, with these dissectors. */
  async packets(filter: string, decodeAs: readonly string[]): Promise<string[]> {
    const args = ['-n', '-r', this.#file, '-Y', filter, ...decodeAs.flatMap((rule) => ['-d', rule])]
    const { code, stdout, stderr } = await run(program('tshark'), args)
    assert.equal(code, 0, stderr)
    return stdout.split('\n').filter((line) => line !== '')
  }
}
