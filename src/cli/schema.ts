/** `omnigate schema [GATEWAY]`: JSON Schema of the config, or of one gateway's section. */
import type { JsonSchema } from '../config/field.ts'
import { configJsonSchema, gatewayJsonSchema } from '../config/json-schema.ts'
import type { ModuleSource } from '../config/modules.ts'
import { nearest } from '../config/nearest.ts'
import type { GatewayModule } from '../sdk.ts'
import { EXIT, type Output } from './output.ts'

export interface SchemaOptions {
  /** Name, package or path; undefined for the whole config. */
  readonly gateway: string | undefined
  readonly directory: string
  readonly modules: ModuleSource
}

export async function printSchema({ gateway, directory, modules }: SchemaOptions, output: Output): Promise<number> {
  if (gateway === undefined) {
    const { installed, faults } = await importInstalled(modules, directory)
    for (const fault of faults) output.err(`warning: ${fault}`)
    output.out(formatSchema(configJsonSchema(installed)))
    return EXIT.ok
  }
  const { module, fault } = await modules.load(gateway, directory)
  if (module !== undefined) {
    output.out(formatSchema(gatewayJsonSchema(module)))
    return EXIT.ok
  }
  const names = await modules.names()
  const meant = nearest(gateway, names)
  const hint =
    meant !== undefined
      ? `Did you mean "${meant}"?`
      : fault.hint !== ''
        ? fault.hint
        : `Installed are ${names.join(', ') || 'none'}.`
  output.err(`${fault.message}. ${hint}`)
  return EXIT.failure
}

/** Every gateway that comes with Omnigate, and why some could not be imported. */
export async function importInstalled(
  modules: ModuleSource,
  directory: string,
): Promise<{ installed: GatewayModule[]; faults: string[] }> {
  const installed: GatewayModule[] = []
  const faults: string[] = []
  for (const name of await modules.names()) {
    const { module, fault } = await modules.load(name, directory)
    if (module !== undefined) installed.push(module)
    else faults.push(fault.message)
  }
  return { installed, faults }
}

/** The same text for the same schema, on every machine. */
export function formatSchema(schema: JsonSchema): string {
  return JSON.stringify(schema, null, 2)
}
