/** Where gateway modules come from, as the config sees it; the runtime's registry is the real one. */
import type { GatewayModule } from '../sdk.ts'
import type { Problem } from './errors.ts'

export type ModuleFault = Pick<Problem, 'code' | 'message' | 'hint'>

export type LoadedModule =
  | { readonly module: GatewayModule; readonly fault?: undefined }
  /** `gateway-unknown` when there is nothing of that name; else it is there and cannot be used. */
  | { readonly module?: undefined; readonly fault: ModuleFault }

export interface ModuleSource {
  /** Names of the gateways that are installed with Omnigate, sorted; nothing is imported for it. */
  names(): Promise<readonly string[]>
  /** Imports one: a name of `names()`, an npm package, or a path; the last two are looked for from `directory`. */
  load(use: string, directory: string): Promise<LoadedModule>
}
