/** The gateways that are on disk, with what their tests need: found by folder, so that a deleted one is not missed. */
import { existsSync } from 'node:fs'
import type { GatewayModule, WireFormat } from '../../src/sdk.ts'
import type { Notation, ScriptGateway } from '../../src/testing.ts'
import { inProject, readJson, readText } from '../support/project.ts'
import { filesUnder, gatewayFolders } from '../support/source-tree.ts'

export interface Installed extends ScriptGateway {
  readonly name: string
  /** What `codec/index.ts` exports; vectors may name one of its wires. */
  readonly codec: Readonly<Record<string, unknown>>
  readonly wire: WireFormat<unknown> | undefined
  readonly vectors: readonly Vector[]
  readonly scripts: readonly { readonly path: string; readonly text: string }[]
}

export interface Vector {
  readonly file: string
  readonly name: string
  readonly kind: string
  /** A `stream` has one string for each chunk. */
  readonly hex: string | readonly string[]
  readonly expect?: unknown
  /** False: encoding what was decoded gives other octets that mean the same. */
  readonly canonical?: boolean
  /** The export of `codec/index.ts` that reads it, where a protocol has several formats; default `wire`. */
  readonly wire?: string
}

/** Compiled tests meet compiled gateways. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

async function importOf(name: string, file: string): Promise<Record<string, unknown> | undefined> {
  if (!existsSync(inProject(`gateways/${name}/${file}.ts`))) return undefined
  return import(new URL(`../../gateways/${name}/${file}${EXTENSION}`, import.meta.url).href)
}

async function load(name: string): Promise<Installed> {
  const module = (await importOf(name, 'index'))?.['default'] as GatewayModule
  const codec = (await importOf(name, 'codec/index')) ?? {}
  const notation = (await importOf(name, 'codec/notation'))?.['notation'] as (() => Notation) | undefined
  const files = filesUnder(`specs/${module.spec}`)
  return {
    name,
    module,
    codec,
    wire: codec['wire'] as WireFormat<unknown> | undefined,
    notation,
    vectors: files.filter((path) => /\/vectors\/[^/]+\.json$/.test(path)).flatMap(vectorsOf),
    scripts: files.filter((path) => /\/scripts\/[^/]+\.script$/.test(path)).map((path) => ({ path, text: readText(path) })),
  }
}

function vectorsOf(path: string): Vector[] {
  return (readJson(path) as Omit<Vector, 'file'>[]).map((vector) => ({ ...vector, file: path }))
}

let loading: Promise<Installed[]> | undefined

export function installed(): Promise<Installed[]> {
  loading ??= Promise.all(gatewayFolders().map(load))
  return loading
}

/** Finds what a script names: a gateway, or an example that is written as one and speaks as the gateway of its spec does. */
export async function findInstalled(protocol: string): Promise<ScriptGateway | undefined> {
  const gateways = await installed()
  return gateways.find(({ name }) => name === protocol) ?? findExample(protocol, gateways)
}

async function findExample(name: string, gateways: readonly Installed[]): Promise<ScriptGateway | undefined> {
  if (!existsSync(inProject(`examples/${name}/index.ts`))) return undefined
  const url = new URL(`../../examples/${name}/index${EXTENSION}`, import.meta.url)
  const module = ((await import(url.href)) as Record<string, unknown>)['default'] as GatewayModule
  const like = gateways.find((gateway) => gateway.module.spec === module.spec)
  return { module, wire: like?.wire, notation: like?.notation }
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s+/g, ''), 'hex'))
}

/** The format that reads this vector; undefined when its gateway has none of that name. */
export function wireOf(gateway: Installed, vector: Vector): WireFormat<unknown> | undefined {
  return gateway.codec[vector.wire ?? 'wire'] as WireFormat<unknown> | undefined
}
