/** A test that is a script (specs/scripts.md): reads like the ladder diagram of the standard. */
import { test } from 'node:test'
import { runScript } from '#testing'
import { wire } from '../codec/index.ts'
import { notation } from '../codec/notation.ts'
import manifest from '../index.ts'

/** Without a `gateway` line of its own it runs on a gateway with its defaults. */
export function dialogue(name: string, script: string): void {
  const text = /^\s*gateway /m.test(script) ? script : `gateway mqtt\n${script}`
  test(name, () =>
    runScript(text, name, (protocol) => Promise.resolve(protocol === 'mqtt' ? { module: manifest, wire, notation } : undefined)),
  )
}
