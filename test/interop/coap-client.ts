/** libcoap's own client as a child process. */
import assert from 'node:assert/strict'
import type { Cleanup } from '../e2e/child.ts'
import { Child } from '../e2e/child.ts'
import { run } from '../support/process.ts'
import { program } from './program.ts'

const CLIENTS = ['coap-client-notls', 'coap-client', 'coap-client-openssl', 'coap-client-gnutls'] as const

/** For `lacking`. */
export const COAP_CLIENT = CLIENTS.join('|')

/** Runs the client to its end; what it printed. It prints errors and their codes on stderr, and ends with 0. */
export async function coap(...args: readonly string[]): Promise<{ readonly payload: string; readonly error: string }> {
  const { code, stdout, stderr } = await run(program(...CLIENTS), ['-B', '10', ...args])
  assert.equal(code, 0, stderr)
  return { payload: stdout.trimEnd(), error: stderr.trimEnd() }
}

/** An observation that lasts for so long, or until the test ends; one line for each notification. */
export function observe(uri: string, cleanup: Cleanup, seconds: number, ...args: readonly string[]): Child {
  const own = ['-oL', program(...CLIENTS), '-w', '-s', String(seconds), '-B', '60', '-m', 'get']
  return new Child(program('stdbuf'), [...own, ...args, uri], {}, cleanup)
}
