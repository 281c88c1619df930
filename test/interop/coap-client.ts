/** libcoap's own client as a child process. */
import assert from 'node:assert/strict'
import type { Cleanup } from '../e2e/child.ts'
import { Child } from '../e2e/child.ts'
import { run } from '../support/process.ts'
import { program } from './program.ts'

const CLIENTS = ['coap-client-notls', 'coap-client', 'coap-client-openssl', 'coap-client-gnutls'] as const

/** For `lacking`. */
export const COAP_CLIENT = CLIENTS.join('|')

/** What the client printed: errors and their codes on stderr. It ends with 0. */
interface Printed {
  readonly payload: string
  readonly error: string
}

/** Runs the client to its end. */
export function coap(...args: readonly string[]): Promise<Printed> {
  return coapWith(CLIENTS, ...args)
}

/** As `coap`, with the first of these that is installed. */
export async function coapWith(clients: readonly string[], ...args: readonly string[]): Promise<Printed> {
  const { code, stdout, stderr } = await run(program(...clients), ['-B', '10', ...args])
  assert.equal(code, 0, stderr)
  return { payload: stdout.trimEnd(), error: stderr.trimEnd() }
}

/** An observation that lasts for so long, or until the test ends; one line for each notification. */
export function observe(uri: string, cleanup: Cleanup, seconds: number, ...args: readonly string[]): Child {
  return observeWith(CLIENTS, uri, cleanup, seconds, ...args)
}

/** As `observe`, with the first of these that is installed. */
export function observeWith(
  clients: readonly string[],
  uri: string,
  cleanup: Cleanup,
  seconds: number,
  ...args: readonly string[]
): Child {
  const own = ['-oL', program(...clients), '-w', '-s', String(seconds), '-B', '60', '-m', 'get']
  return new Child(program('stdbuf'), [...own, ...args, uri], {}, cleanup)
}
